package io.penstock.loadtest.installation;

import java.nio.file.Path;

/// The first user of a broker.
public record Credentials(String user, String password, Path caFile) {
  @Override
  public String toString() {
    return "credentials of " + user;
  }
}
