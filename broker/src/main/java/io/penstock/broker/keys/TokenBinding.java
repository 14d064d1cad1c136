package io.penstock.broker.keys;

import io.penstock.codec.seal.Octets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What an enrollment token is good for. Its secret is derived from all of this, so a row that was
/// widened in the database no longer matches the token somebody holds.
public record TokenBinding(
    Octets id,
    Instant expiresAt,
    Optional<String> agent,
    Optional<String> site,
    Map<String, String> labels,
    List<String> allowedCidrs,
    boolean reenroll) {

  public TokenBinding {
    labels = Map.copyOf(labels);
    allowedCidrs = List.copyOf(allowedCidrs);
  }

  byte[] encoded() {
    return new Fields("penstock enrollment token 1")
        .bytes(id.bytes())
        .number(expiresAt.getEpochSecond())
        .optional(agent)
        .optional(site)
        .map(labels)
        .list(allowedCidrs)
        .number(reenroll ? 1 : 0)
        .toBytes();
  }
}
