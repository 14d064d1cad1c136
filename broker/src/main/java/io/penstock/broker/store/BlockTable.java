package io.penstock.broker.store;

import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Address ranges that are not let in.
public final class BlockTable {
  private static final String COLUMNS = "cidr, reason, created_at, created_by, expires_at";

  /// @param expiresAt empty = until somebody takes it away
  public record Block(
      String cidr,
      String reason,
      Instant createdAt,
      String createdBy,
      Optional<Instant> expiresAt) {}

  /// False when that range is blocked already.
  public boolean insert(Tx tx, Block block) {
    return tx.update(
            """
            insert into blocks (cidr, reason, created_at, created_by, expires_at)
            values ($1, $2, $3, $4, $5) on conflict do nothing\
            """,
            block.cidr(),
            block.reason(),
            block.createdAt(),
            block.createdBy(),
            block.expiresAt())
        == 1;
  }

  public boolean delete(Tx tx, String cidr) {
    return tx.update("delete from blocks where cidr = $1", cidr) == 1;
  }

  public int dropExpired(Tx tx, Instant before) {
    return tx.update("delete from blocks where expires_at < $1", before);
  }

  public long count(Tx tx) {
    return tx.one("select count(*) as blocks from blocks")
        .map(row -> Values.number(row, "blocks"))
        .orElse(0L);
  }

  public List<Block> list(Tx tx) {
    var blocks = new ArrayList<Block>();
    tx.query("select " + COLUMNS + " from blocks order by created_at, cidr")
        .forEach(row -> blocks.add(read(row)));
    return blocks;
  }

  private static Block read(Row row) {
    return new Block(
        Values.text(row, "cidr"),
        Values.text(row, "reason"),
        Values.instant(row, "created_at"),
        Values.text(row, "created_by"),
        Values.optionalInstant(row, "expires_at"));
  }
}
