package io.penstock.loadtest.client;

import java.io.IOException;

/// The API said no: what was asked, the status, and the problem document as it came.
public final class ApiException extends IOException {
  private final int status;

  ApiException(String asked, int status, String problem) {
    super(asked + " was answered " + status + ": " + problem.strip());
    this.status = status;
  }

  public int status() {
    return status;
  }
}
