package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonProperty;

/// An operator's word that one generation of one agent wipes what it holds and ends
/// (`docs/sealed-configuration.md`, section 8). Whoever can write into the broker's database cannot
/// make one.
///
/// @param id of the instruction that carries it
public record WipeOrder(
    String agent,
    long generation,
    String id,
    @JsonProperty("issued_at") long issuedAtEpochSeconds) {
  private static final int MAX_ID_CHARS = 64;

  public WipeOrder {
    Names.require(agent, "agent");
    Names.requireFromOne(generation, "generation");
    if (id == null || id.isEmpty() || id.length() > MAX_ID_CHARS) {
      throw new SealException("a wipe order's id has 1 to " + MAX_ID_CHARS + " characters");
    }
  }

  public String sign(SigningKey recordKey) {
    return SignedDocument.sign(
        DocumentType.WIPE_ORDER,
        recordKey.verifyingKey().keyId(KeyUse.RECORD.text()),
        recordKey,
        this);
  }

  /// Throws [SealException] for an order that is not about this very generation and instruction.
  public static WipeOrder verify(
      String jws, Keyset keyset, String agent, long generation, String id) {
    WipeOrder order =
        SignedDocument.verify(
            jws, DocumentType.WIPE_ORDER, keyset.keysFor(KeyUse.RECORD), WipeOrder.class);
    if (!order.agent.equals(agent)) {
      throw new SealException("the order is about another agent");
    }
    if (order.generation != generation) {
      throw new SealException(
          "the order is for another generation: expected "
              + generation
              + ", found "
              + order.generation);
    }
    if (!order.id.equals(id)) {
      throw new SealException("the order belongs to another instruction");
    }
    return order;
  }
}
