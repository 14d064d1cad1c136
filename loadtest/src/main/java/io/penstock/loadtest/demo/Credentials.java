package io.penstock.loadtest.demo;

import java.nio.file.Path;

/// The first user of a broker.
record Credentials(String user, String password, Path caFile) {
  @Override
  public String toString() {
    return "credentials of " + user;
  }
}
