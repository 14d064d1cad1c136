package io.penstock.broker.ctl;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLDecoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/// An external Postgres: its name, its port, and a sign-in. What is said about it never holds the
/// password.
final class DatabaseCheck {
  private static final int TIMEOUT_MS = 10_000;
  private static final int DEFAULT_PORT = 5432;

  private final URI url;
  private final Optional<Path> passwordFile;

  private DatabaseCheck(URI url, Optional<Path> passwordFile) {
    this.url = url;
    this.passwordFile = passwordFile;
  }

  /// `postgresql://USER:PASSWORD@HOST[:PORT]/DATABASE`, with or without `jdbc:` before it.
  static List<Finding> look(String databaseUrl, Optional<Path> passwordFile) {
    String expected = "postgresql://USER:PASSWORD@HOST[:PORT]/DATABASE";
    String withoutDriver = databaseUrl.startsWith("jdbc:") ? databaseUrl.substring(5) : databaseUrl;
    try {
      URI url = URI.create(withoutDriver);
      if (url.getHost() == null || !String.valueOf(url.getScheme()).startsWith("postgres")) {
        return List.of(
            Finding.fail("database", expected, "another form", "correct the database URL"));
      }
      return new DatabaseCheck(url, passwordFile).stages();
    } catch (IllegalArgumentException e) {
      return List.of(Finding.fail("database", expected, "no URL", "correct the database URL"));
    }
  }

  private List<Finding> stages() {
    List<Finding> findings = new ArrayList<>();
    findings.add(tcp());
    if (!findings.getLast().failed()) {
      findings.add(login());
    }
    return findings;
  }

  private Finding tcp() {
    String expected = "a connection to " + url.getHost() + ":" + port();
    try (Socket socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(InetAddress.getByName(url.getHost()), port()), TIMEOUT_MS);
      return Finding.ok("database TCP", expected, "connected");
    } catch (UnknownHostException e) {
      return Finding.fail(
          "database DNS", "an address for " + url.getHost(), "none", "check the name");
    } catch (IOException e) {
      return Finding.fail(
          "database TCP",
          expected,
          String.valueOf(e.getMessage()),
          "start Postgres, or correct the database URL");
    }
  }

  private Finding login() {
    String expected =
        "a sign-in to database " + url.getPath().substring(Math.min(1, url.getPath().length()));
    String query = url.getQuery() == null ? "" : "?" + url.getQuery();
    String jdbc = "jdbc:postgresql://" + url.getHost() + ":" + port() + url.getPath() + query;
    try (Connection connection = DriverManager.getConnection(jdbc, credentials())) {
      String version = connection.getMetaData().getDatabaseProductVersion();
      return Finding.ok("database", expected, "Postgres " + version);
    } catch (SQLException e) {
      return Finding.fail(
          "database",
          expected,
          "refused, SQL state " + e.getSQLState(),
          "check user, password and database name, and pg_hba.conf");
    }
  }

  private Properties credentials() {
    Properties properties = new Properties();
    properties.setProperty("loginTimeout", String.valueOf(TIMEOUT_MS / 1000));
    properties.setProperty("socketTimeout", String.valueOf(TIMEOUT_MS / 1000));
    String userInfo = url.getRawUserInfo();
    if (userInfo != null) {
      int colon = userInfo.indexOf(':');
      properties.setProperty("user", decoded(colon < 0 ? userInfo : userInfo.substring(0, colon)));
      if (colon >= 0) {
        properties.setProperty("password", decoded(userInfo.substring(colon + 1)));
      }
    }
    passwordFile.ifPresent(file -> properties.setProperty("password", read(file)));
    return properties;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw Failure.failed("database.password_file: cannot read " + file);
    }
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  private int port() {
    return url.getPort() == -1 ? DEFAULT_PORT : url.getPort();
  }
}
