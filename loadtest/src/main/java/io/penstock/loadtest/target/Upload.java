package io.penstock.loadtest.target;

import io.netty.buffer.ByteBuf;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/// Counts and hashes a body without keeping it: `{bytes, sha256}`, or with `?hash=crc32c` `{bytes,
/// crc32c}`, or with `?hash=none` `{bytes}`.
final class Upload implements RequestBody {
  private final Exchange exchange;
  private final Sum sum;
  private long bytes;

  Upload(Exchange exchange) {
    this.exchange = exchange;
    this.sum =
        switch (exchange.query("hash", "sha256")) {
          case "crc32c" -> new Crc();
          case "none" -> new NoSum();
          default -> new Sha();
        };
  }

  @Override
  public void data(ByteBuf piece) {
    bytes += piece.readableBytes();
    sum.add(piece);
  }

  @Override
  public void end() {
    exchange.json(200, "{\"bytes\":" + bytes + sum.field() + "}");
  }

  private sealed interface Sum {
    void add(ByteBuf piece);

    String field();
  }

  private static final class Sha implements Sum {
    private final MessageDigest digest = sha256();

    @Override
    public void add(ByteBuf piece) {
      digest.update(piece.nioBuffer());
    }

    @Override
    public String field() {
      return ",\"sha256\":\"" + HexFormat.of().formatHex(digest.digest()) + "\"";
    }

    private static MessageDigest sha256() {
      try {
        return MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every JDK has SHA-256", e);
      }
    }
  }

  private static final class Crc implements Sum {
    private final CRC32C crc = new CRC32C();

    @Override
    public void add(ByteBuf piece) {
      crc.update(piece.nioBuffer());
    }

    @Override
    public String field() {
      return ",\"crc32c\":\"%08x\"".formatted(crc.getValue());
    }
  }

  private static final class NoSum implements Sum {
    @Override
    public void add(ByteBuf piece) {}

    @Override
    public String field() {
      return "";
    }
  }
}
