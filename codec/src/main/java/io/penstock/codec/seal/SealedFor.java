package io.penstock.codec.seal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// Whose secrets these are, and for where. Both layers of [SealedSecrets] are bound to it, so
/// neither opens for another agent, generation, system or destination; not to a version, so that
/// the next one may carry them on.
public record SealedFor(String agent, long generation, String system, Destination destination) {
  private static final String SECRETS_LABEL = "penstock secrets v1";
  private static final String WRAP_LABEL = "penstock secrets wrap v1";

  public SealedFor {
    Names.require(agent, "agent");
    Names.requireFromOne(generation, "generation");
    Names.require(system, "system");
  }

  /// Additional data of the AES-256-GCM over the secrets:
  /// ```
  /// +---------+---------+---------+---------+------------+---------+----------+-------------+
  /// | len u16 | label … | len u16 | agent … | generation | len u16 | system … | destination |
  /// |         |         |         |         | u64        |         |          | 32          |
  /// +---------+---------+---------+---------+------------+---------+----------+-------------+
  /// ```
  byte[] secretsContext() {
    return context(SECRETS_LABEL, new byte[0]);
  }

  /// HPKE info of a wrap: the same under its own label, then the 32 bytes of the DEK commitment.
  byte[] wrapContext(Octets dekCommitment) {
    return context(WRAP_LABEL, dekCommitment.bytes());
  }

  private byte[] context(String label, byte[] tail) {
    byte[] labelBytes = label.getBytes(StandardCharsets.US_ASCII);
    byte[] agentBytes = agent.getBytes(StandardCharsets.US_ASCII);
    byte[] systemBytes = system.getBytes(StandardCharsets.US_ASCII);
    int length =
        3 * Short.BYTES
            + Long.BYTES
            + labelBytes.length
            + agentBytes.length
            + systemBytes.length
            + destination.sha256().length()
            + tail.length;
    var buffer = ByteBuffer.allocate(length);
    buffer.putShort((short) labelBytes.length).put(labelBytes);
    buffer.putShort((short) agentBytes.length).put(agentBytes);
    buffer.putLong(generation);
    buffer.putShort((short) systemBytes.length).put(systemBytes);
    return buffer.put(destination.sha256().bytes()).put(tail).array();
  }
}
