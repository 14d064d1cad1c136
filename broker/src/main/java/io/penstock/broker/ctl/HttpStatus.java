package io.penstock.broker.ctl;

/// The few status codes that the command line tells apart.
final class HttpStatus {
  static final int SWITCHING_PROTOCOLS = 101;
  static final int UNAUTHORIZED = 401;

  static boolean isSuccess(int status) {
    return status >= 200 && status < 300;
  }

  private HttpStatus() {}
}
