package io.penstock.loadtest.engine;

/// One kind of request of a flow.
///
/// @param path from the target's URL on, begins with a slash
/// @param bodyBytes sent with it
/// @param weight how often it is chosen, relative to the flow's other kinds
public record Request(String method, String path, int bodyBytes, double weight) {
  public static final int MAX_BODY_BYTES = 16 << 20;

  public Request {
    if (!method.matches("[A-Z]+") || method.equals("HEAD") || method.equals("CONNECT")) {
      throw new IllegalArgumentException(
          "method: expected GET, POST, PUT, PATCH, DELETE or OPTIONS, found " + method);
    }
    if (!path.matches("/[!-~]*")) {
      throw new IllegalArgumentException(
          "path: expected printable ASCII that begins with /, found '" + path + "'");
    }
    if (bodyBytes < 0 || bodyBytes > MAX_BODY_BYTES) {
      throw new IllegalArgumentException(
          "body_bytes: expected 0 to " + MAX_BODY_BYTES + ", found " + bodyBytes);
    }
    if (!(weight > 0)) {
      throw new IllegalArgumentException("weight: expected a number above 0, found " + weight);
    }
  }
}
