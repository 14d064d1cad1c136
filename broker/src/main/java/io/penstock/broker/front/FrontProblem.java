package io.penstock.broker.front;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.penstock.broker.problem.ProblemDocument;
import java.util.UUID;

/// An answer of the front itself, for requests that reach neither edge nor API nor tunnel.
///
/// @param invocationError value of `Penstock-Error`, by which callers of systems tell our errors
///     from a system's; empty = it was no invocation
record FrontProblem(int status, String title, int retryAfterSeconds, String invocationError) {
  FrontProblem(int status, String title) {
    this(status, title, 0);
  }

  FrontProblem(int status, String title, int retryAfterSeconds) {
    this(status, title, retryAfterSeconds, "");
  }

  FullHttpResponse toResponse() {
    var content = Unpooled.buffer(256);
    ByteBufUtil.writeUtf8(
        content, new ProblemDocument(status, title, "").json(UUID.randomUUID().toString()));
    var response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), content);
    response
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, ProblemDocument.MEDIA_TYPE)
        .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
        .set(HttpHeaderNames.CONTENT_LENGTH, content.readableBytes());
    if (!invocationError.isEmpty()) {
      response.headers().set("Penstock-Error", invocationError);
    }
    if (retryAfterSeconds > 0) {
      response.headers().set(HttpHeaderNames.RETRY_AFTER, retryAfterSeconds);
    }
    return response;
  }
}
