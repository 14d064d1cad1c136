package io.penstock.broker.edge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.AsciiString;
import io.penstock.broker.problem.ProblemDocument;
import java.nio.charset.StandardCharsets;

/// Writes problem documents (RFC 9457).
final class Problems {
  private static final AsciiString PROBLEM_JSON = AsciiString.cached(ProblemDocument.MEDIA_TYPE);
  private static final AsciiString BEARER = AsciiString.cached("Bearer realm=\"penstock\"");

  private Problems() {}

  /// @param headOnly the answer to a HEAD: the same fields without the document
  static HttpResponse answer(
      InvocationProblem problem, String requestId, boolean headOnly, boolean keepAlive) {
    byte[] document = problem.document().json(requestId).getBytes(StandardCharsets.UTF_8);
    HttpResponse response = response(problem.status(), document, headOnly);
    HttpHeaders headers = response.headers();
    headers.set(HttpHeaderNames.CONTENT_TYPE, PROBLEM_JSON);
    headers.set(HttpHeaderNames.CONTENT_LENGTH, document.length);
    headers.set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE);
    headers.set(OwnFields.ERROR, problem.code());
    headers.set(OwnFields.REQUEST_ID, requestId);
    OwnFields.guardOrigin(headers);
    if (problem.retryAfterSeconds() > 0) {
      headers.set(HttpHeaderNames.RETRY_AFTER, problem.retryAfterSeconds());
    }
    if (problem.status() == 401) {
      headers.set(HttpHeaderNames.WWW_AUTHENTICATE, BEARER);
    }
    if (!keepAlive) {
      headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    }
    return response;
  }

  private static HttpResponse response(int status, byte[] document, boolean headOnly) {
    HttpResponseStatus line = HttpResponseStatus.valueOf(status);
    if (headOnly) {
      return new DefaultHttpResponse(HttpVersion.HTTP_1_1, line);
    }
    ByteBuf body = Unpooled.wrappedBuffer(document);
    return new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, line, body);
  }
}
