package io.penstock.broker.store;

import java.time.Duration;

/// A second way to a [TestDatabase] that a test cuts and mends: running connections end, as when
/// Postgres is killed, and new ones find nothing there.
public final class BreakableDatabase implements AutoCloseable {
  private final TestDatabase real;
  private final Database database;
  private volatile boolean away;

  public BreakableDatabase(TestDatabase real) {
    this.real = real;
    database = Database.connect(real.vertx(), this::address, 4, Duration.ofSeconds(5));
  }

  private DatabaseAddress address() {
    DatabaseAddress here = real.address();
    return away
        ? new DatabaseAddress(
            here.host(), 1, here.database(), here.user(), here.password(), here.sslMode())
        : here;
  }

  public Database database() {
    return database;
  }

  public void cut() {
    away = true;
    real.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
            + " where datname = current_database() and pid <> pg_backend_pid()");
  }

  public void mend() {
    away = false;
  }

  @Override
  public void close() {
    database.close();
  }
}
