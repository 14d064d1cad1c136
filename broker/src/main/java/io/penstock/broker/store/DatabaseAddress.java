package io.penstock.broker.store;

import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.config.ConfigException;
import io.vertx.core.net.ClientSSLOptions;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.SslMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;

/// Where a Postgres is and how to sign in there. Prints no password.
public record DatabaseAddress(
    String host, int port, String database, String user, String password, SslMode sslMode) {

  static DatabaseAddress local(int port, String database, String user, String password) {
    return new DatabaseAddress("127.0.0.1", port, database, user, password, SslMode.DISABLE);
  }

  /// The external database of the configuration, which has to name one.
  public static DatabaseAddress of(BrokerConfig.Database config) {
    PgConnectOptions options;
    try {
      options = PgConnectOptions.fromUri(config.url().orElseThrow());
    } catch (IllegalArgumentException _) {
      // The cause quotes the URL, and the URL the password.
      throw new ConfigException(
          List.of("database.url: expected postgres://user:password@host[:port]/database"));
    }
    String password =
        config.passwordFile().map(DatabaseAddress::readPassword).orElse(options.getPassword());
    return new DatabaseAddress(
        options.getHost(),
        options.getPort(),
        options.getDatabase(),
        options.getUser(),
        password,
        options.getSslMode());
  }

  private static String readPassword(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new ConfigException(List.of("database.password_file: cannot read " + file + ": " + e));
    }
  }

  DatabaseAddress withDatabase(String name) {
    return new DatabaseAddress(host, port, name, user, password, sslMode);
  }

  PgConnectOptions clientOptions() {
    var options =
        new PgConnectOptions()
            .setHost(host)
            .setPort(port)
            .setDatabase(database)
            .setUser(user)
            .setPassword(password)
            .setSslMode(sslMode)
            .setCachePreparedStatements(true)
            .addProperty("application_name", "penstock-broker")
            // A transaction whose broker vanished must not keep its locks.
            .addProperty("idle_in_transaction_session_timeout", "30000")
            .addProperty("statement_timeout", "30000")
            .addProperty("lock_timeout", "5000")
            // Statements look up a few rows by their keys; a join that reads a whole table is never
            // what they want, and is what the planner takes while a table is small.
            .addProperty("enable_hashjoin", "off")
            .addProperty("enable_mergejoin", "off");
    if (sslMode != SslMode.DISABLE) {
      options.setSslOptions(sslOptions());
    }
    return options;
  }

  /// As libpq means it: only the verify modes look at the certificate.
  private ClientSSLOptions sslOptions() {
    boolean verify = sslMode == SslMode.VERIFY_CA || sslMode == SslMode.VERIFY_FULL;
    return new ClientSSLOptions()
        .setTrustAll(!verify)
        .setHostnameVerificationAlgorithm(sslMode == SslMode.VERIFY_FULL ? "HTTPS" : "");
  }

  String jdbcUrl() {
    return "jdbc:postgresql://"
        + (host.contains(":") ? "[" + host + "]" : host)
        + ":"
        + port
        + "/"
        + database
        + "?sslmode="
        + sslMode.value;
  }

  Properties jdbcProperties() {
    var properties = new Properties();
    properties.setProperty("user", user);
    properties.setProperty("password", password);
    properties.setProperty("connectTimeout", "5");
    properties.setProperty("loginTimeout", "5");
    return properties;
  }

  @Override
  public String toString() {
    return "DatabaseAddress[" + host + ":" + port + "/" + database + "]";
  }
}
