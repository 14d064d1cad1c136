package io.penstock.codec.noise;

import java.util.ArrayList;
import java.util.List;

/// The XX pattern (Noise section 7.5) and its modifiers, as lists of tokens per message:
///
/// ```
/// XX:            XXpsk3:          XXhfs:                      XXhfs+psk3:
///   -> e           -> e             -> e, e1                    -> e, e1
///   <- e, ee,      <- e, ee,        <- e, ee, ekem1, s, es      <- e, ee, ekem1, s, es
///      s, es          s, es         -> s, se                    -> s, se, psk
///   -> s, se       -> s, se, psk
/// ```
///
/// @param name pattern and modifiers as they stand in the protocol's name
record HandshakePattern(String name, List<List<Token>> messages) {
  enum Token {
    E,
    S,
    EE,
    ES,
    SE,
    PSK,
    E1,
    EKEM1
  }

  static HandshakePattern xx(String... modifiers) {
    List<List<Token>> messages = new ArrayList<>();
    messages.add(new ArrayList<>(List.of(Token.E)));
    messages.add(new ArrayList<>(List.of(Token.E, Token.EE, Token.S, Token.ES)));
    messages.add(new ArrayList<>(List.of(Token.S, Token.SE)));
    for (String modifier : modifiers) {
      apply(modifier, messages);
    }
    return new HandshakePattern(
        "XX" + String.join("+", modifiers), messages.stream().map(List::copyOf).toList());
  }

  private static void apply(String modifier, List<List<Token>> messages) {
    switch (modifier) {
      // Section 9.4: psk0 at the beginning of the first message, psk1, psk2, … at the end of the
      // first, second, …
      case "psk0" -> messages.getFirst().addFirst(Token.PSK);
      case "psk1" -> messages.get(0).add(Token.PSK);
      case "psk2" -> messages.get(1).add(Token.PSK);
      case "psk3" -> messages.get(2).add(Token.PSK);
      // HFS section 5: e1 after the first e (XX has no DH in that message), ekem1 after the first
      // ee.
      case "hfs" -> {
        messages.get(0).add(messages.get(0).indexOf(Token.E) + 1, Token.E1);
        messages.get(1).add(messages.get(1).indexOf(Token.EE) + 1, Token.EKEM1);
      }
      default -> throw new IllegalArgumentException("unknown modifier " + modifier);
    }
  }

  /// The protocol's name (section 8), the first thing that is hashed.
  String protocolName() {
    String kem = has(Token.E1) ? "+MLKEM768" : "";
    return "Noise_" + name + "_25519" + kem + "_AESGCM_SHA256";
  }

  boolean has(Token token) {
    return count(token) > 0;
  }

  long count(Token token) {
    return messages.stream().flatMap(List::stream).filter(token::equals).count();
  }
}
