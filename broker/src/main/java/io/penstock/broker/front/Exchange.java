package io.penstock.broker.front;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;

/// One request and its answer on a connection.
final class Exchange {
  final Destination destination;
  private final boolean oldVersion;
  private boolean keepAlive;
  boolean requestDone;
  boolean responseDone;

  private Exchange(Destination destination, boolean oldVersion, boolean keepAlive) {
    this.destination = destination;
    this.oldVersion = oldVersion;
    this.keepAlive = keepAlive;
  }

  static Exchange of(HttpRequest request, Destination destination) {
    // Behind a refused upgrade the decoder holds back what follows, so the connection ends.
    boolean upgrade = request.headers().contains(HttpHeaderNames.UPGRADE);
    boolean oldVersion = !request.protocolVersion().equals(HttpVersion.HTTP_1_1);
    return new Exchange(destination, oldVersion, !upgrade && HttpUtil.isKeepAlive(request));
  }

  /// For what the decoder refused to call a request.
  static Exchange refused() {
    var exchange = new Exchange(Destination.EDGE, false, false);
    exchange.requestDone = true;
    return exchange;
  }

  void closeAfterwards() {
    keepAlive = false;
  }

  boolean keepsConnection() {
    return keepAlive;
  }

  boolean isOver() {
    return requestDone && responseDone;
  }

  /// Makes the answer say whether the connection goes on.
  void answeredBy(HttpResponse response) {
    keepAlive &= HttpUtil.isKeepAlive(response) || oldVersion;
    if (!keepAlive) {
      response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    } else if (oldVersion) {
      response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
    }
  }
}
