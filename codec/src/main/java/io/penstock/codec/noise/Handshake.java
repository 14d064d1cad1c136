package io.penstock.codec.noise;

import static java.util.Objects.requireNonNull;

import io.penstock.codec.noise.HandshakePattern.Token;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import javax.crypto.KEM;
import org.jspecify.annotations.Nullable;

/// One Noise handshake, of one side (HandshakeState, Noise section 5.3). Read it beside the
/// specification: the tokens of a message ([HandshakePattern]) are worked off in order, each by one
/// line of the three switches here.
///
/// Sections are of the Noise Protocol Framework, revision 34; "HFS" is its extension "KEM-based
/// Hybrid Forward Secrecy", revision 1, with ML-KEM-768 as the KEM. HFS sends `e1` and `ekem1` like
/// a static key, by EncryptAndHash. So `e1` is in the clear in message 1 of XXhfs, where there is
/// no key yet, and carries a tag in XXhfs+psk3, where section 9.2 mixes `e` into the key (a key
/// that anybody can compute: it hides nothing). `ekem1` is always sealed, under the key of `ee`.
///
/// One owner, one thread. It is slow (some hundred microseconds a message): not for an event loop.
/// After any failure it is dead, its secrets are overwritten as far as Java lets us, and every call
/// fails.
public final class Handshake {
  /// Section 3.
  public static final int MAX_MESSAGE_BYTES = CipherState.MAX_RECORD_BYTES;

  private final HandshakePattern pattern;
  private final boolean initiator;
  private final X25519 s;
  private final Ephemerals ephemerals;
  private final SymmetricState symmetric;
  private final Queue<PresharedKey> psks = new ArrayDeque<>();

  private @Nullable X25519 e;
  private byte @Nullable [] re;
  private byte @Nullable [] rs;
  private @Nullable MlKem768 e1;
  private KEM.@Nullable Encapsulator re1;

  private int messagesDone;
  private int psksGiven;
  private boolean dead;
  private boolean split;

  /// Initialize: the protocol's name, then the prologue. XX has no pre-messages.
  Handshake(
      HandshakePattern pattern,
      boolean initiator,
      byte[] prologue,
      StaticKeyPair s,
      Ephemerals ephemerals) {
    this.pattern = pattern;
    this.initiator = initiator;
    this.s = s.keys();
    this.ephemerals = ephemerals;
    this.symmetric = new SymmetricState(pattern.protocolName());
    symmetric.mixHash(prologue);
  }

  public static Handshake initiator(Suite suite, byte[] prologue, StaticKeyPair s) {
    return new Handshake(suite.pattern(), true, prologue, s, Ephemerals.fresh());
  }

  public static Handshake responder(Suite suite, byte[] prologue, StaticKeyPair s) {
    return new Handshake(suite.pattern(), false, prologue, s, Ephemerals.fresh());
  }

  /// Gives the preshared key, any time before the message that needs it: who answers knows it only
  /// after message 1.
  ///
  /// @throws IllegalStateException if the suite has no psk, or has it already
  public void psk(PresharedKey psk) {
    if (psksGiven == pattern.count(Token.PSK)) {
      throw new IllegalStateException(pattern.name() + " takes " + psksGiven + " preshared keys");
    }
    psksGiven++;
    psks.add(psk);
  }

  /// WriteMessage. Fails out of turn, without the psk, on a message over 65,535 bytes, and also
  /// where a key that the peer sent earlier turns out to be worthless.
  public byte[] writeMessage(byte[] payload) throws HandshakeException {
    try {
      requireTurn(true);
      var message = new ByteArrayOutputStream();
      for (Token token : pattern.messages().get(messagesDone)) {
        write(token, message);
      }
      if (message.size() + payload.length + symmetric.tagBytes() > MAX_MESSAGE_BYTES) {
        throw new HandshakeException("a message has at most 65535 bytes");
      }
      message.writeBytes(symmetric.encryptAndHash(payload));
      messagesDone++;
      return message.toByteArray();
    } catch (HandshakeException | RuntimeException failure) {
      die();
      throw failure;
    }
  }

  /// ReadMessage; returns the payload.
  public byte[] readMessage(byte[] message) throws HandshakeException {
    try {
      requireTurn(false);
      if (message.length > MAX_MESSAGE_BYTES) {
        throw new HandshakeException("a message has at most 65535 bytes");
      }
      var rest = ByteBuffer.wrap(message);
      for (Token token : pattern.messages().get(messagesDone)) {
        read(token, rest);
      }
      byte[] payload = symmetric.decryptAndHash(take(rest, rest.remaining()));
      messagesDone++;
      return payload;
    } catch (HandshakeException | RuntimeException failure) {
      die();
      throw failure;
    }
  }

  private void write(Token token, ByteArrayOutputStream message) throws HandshakeException {
    switch (token) {
      case E -> {
        e = ephemerals.x25519();
        message.writeBytes(e.publicKey());
        mixEphemeral(e.publicKey());
      }
      case S -> message.writeBytes(symmetric.encryptAndHash(s.publicKey()));
      case E1 -> {
        e1 = MlKem768.generate(ephemerals.kem());
        message.writeBytes(symmetric.encryptAndHash(e1.encapsulationKey()));
      }
      case EKEM1 -> {
        KEM.Encapsulated encapsulated = requireNonNull(re1).encapsulate();
        message.writeBytes(symmetric.encryptAndHash(encapsulated.encapsulation()));
        mixSecret(encapsulated.key().getEncoded());
      }
      case EE, ES, SE, PSK -> mix(token);
    }
  }

  private void read(Token token, ByteBuffer rest) throws HandshakeException {
    switch (token) {
      case E -> {
        re = take(rest, X25519.BYTES);
        mixEphemeral(re);
      }
      case S -> rs = takeSealed(rest, X25519.BYTES);
      case E1 -> {
        byte[] key = takeSealed(rest, MlKem768.ENCAPSULATION_KEY_BYTES);
        re1 = MlKem768.encapsulator(key, ephemerals.kem());
      }
      case EKEM1 -> {
        byte[] ciphertext = takeSealed(rest, MlKem768.CIPHERTEXT_BYTES);
        mixSecret(requireNonNull(e1).decapsulate(ciphertext));
      }
      case EE, ES, SE, PSK -> mix(token);
    }
  }

  /// The tokens that put nothing on the wire.
  private void mix(Token token) throws HandshakeException {
    switch (token) {
      case EE -> mixSecret(requireNonNull(e).agree(requireNonNull(re)));
      case ES -> mixSecret(initiator ? agreeEphemeral(rs) : s.agree(requireNonNull(re)));
      case SE -> mixSecret(initiator ? s.agree(requireNonNull(re)) : agreeEphemeral(rs));
      case PSK -> mixPsk();
      case E, S, E1, EKEM1 -> throw new IllegalStateException(token + " is sent, not mixed");
    }
  }

  private byte[] agreeEphemeral(byte @Nullable [] remote) throws HandshakeException {
    return requireNonNull(e).agree(requireNonNull(remote));
  }

  private void mixSecret(byte[] secret) {
    symmetric.mixKey(secret);
    Arrays.fill(secret, (byte) 0);
  }

  /// Section 9.2: with a psk anywhere in the pattern, each `e` is mixed into the key too.
  private void mixEphemeral(byte[] publicKey) {
    symmetric.mixHash(publicKey);
    if (pattern.has(Token.PSK)) {
      symmetric.mixKey(publicKey);
    }
  }

  private void mixPsk() throws HandshakeException {
    PresharedKey psk = psks.poll();
    if (psk == null) {
      throw new HandshakeException("the preshared key is not known");
    }
    byte[] secret = psk.bytes();
    symmetric.mixKeyAndHash(secret);
    Arrays.fill(secret, (byte) 0);
  }

  private byte[] takeSealed(ByteBuffer rest, int bytes) throws HandshakeException {
    return symmetric.decryptAndHash(take(rest, bytes + symmetric.tagBytes()));
  }

  private static byte[] take(ByteBuffer rest, int bytes) throws HandshakeException {
    if (rest.remaining() < bytes) {
      throw new HandshakeException("the message is too short");
    }
    byte[] taken = new byte[bytes];
    rest.get(taken);
    return taken;
  }

  private void requireTurn(boolean writing) throws HandshakeException {
    if (dead) {
      throw new HandshakeException("the handshake failed before");
    }
    if (messagesDone == pattern.messages().size()) {
      throw new HandshakeException("the handshake is complete");
    }
    boolean initiatorsTurn = messagesDone % 2 == 0;
    if (writing != (initiatorsTurn == initiator)) {
      throw new HandshakeException("it is the other side's turn");
    }
  }

  public boolean isComplete() {
    return !dead && messagesDone == pattern.messages().size();
  }

  /// A copy of `h`: after the last message the handshake hash (section 11.2), before it the
  /// transcript so far.
  ///
  /// @throws IllegalStateException after a failure
  public byte[] hash() {
    requireAlive();
    return symmetric.hash();
  }

  /// The peer's static key. For the initiator it is proven after message 2, for the responder after
  /// message 3.
  ///
  /// @throws IllegalStateException before that, or after a failure
  public PublicKey remoteStatic() {
    requireAlive();
    if (rs == null) {
      throw new IllegalStateException("the peer's static key is not known yet");
    }
    return new PublicKey(rs);
  }

  /// Split; once, after completion. The hash and the peer's key stay known.
  ///
  /// @throws IllegalStateException otherwise
  public Transport split() {
    if (!isComplete() || split) {
      throw new IllegalStateException("a handshake is split once, when it is complete");
    }
    split = true;
    CipherState[] pair = symmetric.split();
    wipe();
    return initiator ? new Transport(pair[0], pair[1]) : new Transport(pair[1], pair[0]);
  }

  private void requireAlive() {
    if (dead) {
      throw new IllegalStateException("the handshake failed");
    }
  }

  private void die() {
    dead = true;
    wipe();
  }

  private void wipe() {
    symmetric.wipe();
    psks.clear();
    if (e != null) {
      e.wipe();
    }
    e1 = null;
    re1 = null;
  }
}
