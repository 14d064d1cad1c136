package io.penstock.broker.store;

/// Announces that rights changed, to every node that listens on [#CHANNEL], at the commit.
public final class AccessHints {
  public static final String CHANNEL = "penstock_access";

  private AccessHints() {}

  public static void announce(Tx tx, String payload) {
    tx.query("select pg_notify($1, $2)", CHANNEL, payload);
  }
}
