package io.penstock.broker.front;

import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseEncoder;

/// Knows which request an answer belongs to, because an answer to HEAD has no body whatever its
/// fields say. One exchange at a time ([Dispatcher]).
final class ResponseEncoder extends HttpResponseEncoder {
  private boolean head;

  void answering(HttpMethod method) {
    head = method.equals(HttpMethod.HEAD);
  }

  @Override
  protected boolean isContentAlwaysEmpty(HttpResponse response) {
    return head || super.isContentAlwaysEmpty(response);
  }
}
