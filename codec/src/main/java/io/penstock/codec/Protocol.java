package io.penstock.codec;

/// The numbers of the tunnel protocol, in the words of `docs/protocol.md`; a test pins each of
/// them.
///
/// ```
///  0        1        2                 4                                  8
///  +--------+--------+-----------------+----------------------------------+----------
///  | type   | flags  | payload length  | stream id (0 = the session)      | payload …
///  +--------+--------+-----------------+----------------------------------+----------
/// ```
public final class Protocol {
  public static final String TUNNEL_PATH = "/tunnel/v1";
  public static final String SUBPROTOCOL_CONNECT = "penstock.v1.xxhfs";
  public static final String SUBPROTOCOL_ENROLL = "penstock.v1.xxhfs-psk3";

  public static final int HEADER_BYTES = 8;
  public static final int TAG_BYTES = 16;

  /// Largest record on the wire: one WebSocket message.
  public static final int MAX_RECORD_BYTES = 65_535;

  /// Largest plaintext we accept in a record.
  public static final int MAX_PLAINTEXT_BYTES = MAX_RECORD_BYTES - TAG_BYTES;

  /// Largest plaintext we write: with tag and masked WebSocket header it fits one TLS record of 16
  /// KiB.
  public static final int MAX_WRITTEN_PLAINTEXT_BYTES = 16_360;

  /// Largest payload of a frame we write.
  public static final int MAX_WRITTEN_PAYLOAD_BYTES = MAX_WRITTEN_PLAINTEXT_BYTES - HEADER_BYTES;

  public static final int MAX_HEAD_BYTES = 32 * 1024;
  public static final int MAX_CONTROL_BYTES = 256 * 1024;

  /// Everything that may arrive before the handshake is done (section 1).
  public static final int MAX_HANDSHAKE_BYTES = 8 * 1024;

  public static final long HANDSHAKE_TIMEOUT_MS = 10_000;

  public static final int INITIAL_CREDIT_BYTES = 32 * 1024;
  public static final int MAX_CREDIT_BYTES = 4 * 1024 * 1024;
  public static final int DEFAULT_MAX_STREAMS = 1_024;

  public static final long PING_AFTER_MS = 5_000;
  public static final long DEAD_AFTER_MS = 15_000;

  /// How often a session asks whether its peer is still there.
  public static final long TICK_MS = 1_000;

  /// Records per direction between two Noise rekeys (section 3).
  public static final long REKEY_RECORDS = 1L << 20;

  public static final int CONTROL = 0x01;
  public static final int OPEN = 0x02;
  public static final int HEAD = 0x03;
  public static final int DATA = 0x04;
  public static final int TRAILERS = 0x05;
  public static final int TIMING = 0x06;
  public static final int RESET = 0x07;
  public static final int CREDIT = 0x08;
  public static final int PING = 0x09;
  public static final int MESSAGE = 0x0a;
  public static final int RECEIPT = 0x0b;
  public static final int REKEY = 0x0c;
  public static final int DRAIN = 0x0d;
  public static final int CLOSE = 0x0e;

  public static final int END = 0x01;
  public static final int ACK = 0x02;
  public static final int MORE = 0x04;
  public static final int WANT = 0x08;

  private Protocol() {}
}
