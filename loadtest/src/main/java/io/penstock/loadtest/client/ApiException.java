package io.penstock.loadtest.client;

import java.io.IOException;

/// The API said no: what was asked, the status, and the problem document as it came.
public final class ApiException extends IOException {
  private static final int CONFLICT = 409;

  private final int status;
  private final String problem;

  ApiException(String asked, int status, String problem) {
    super(asked + " was answered " + status + ": " + problem.strip());
    this.status = status;
    this.problem = problem;
  }

  public int status() {
    return status;
  }

  public boolean isConflict(String title) {
    return status == CONFLICT && problem.contains("\"" + title + "\"");
  }
}
