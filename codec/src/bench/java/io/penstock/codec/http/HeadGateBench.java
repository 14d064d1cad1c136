package io.penstock.codec.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// The gate that HTTP/1.1 heads pass at either end of the tunnel: finding the head's end, then
/// judging it.
@State(Scope.Thread)
public class HeadGateBench {
  private static final String REQUEST =
      """
      GET /sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder?$top=50 HTTP/1.1
      Host: broker.example.com
      Authorization: Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJiaWxsaW5nIn0.c2lnbmF0dXJl
      Accept: application/json
      Accept-Encoding: gzip, deflate
      Accept-Language: en
      User-Agent: billing/4.12 (+https://billing.example.com)
      X-Correlation-Id: 0f8fad5b-d9cb-469f-a165-70867728950e
      If-None-Match: "5d8c72a5edda8d6a"

      """;
  private static final String ANSWER =
      """
      HTTP/1.1 200 OK
      Content-Type: application/json;charset=utf-8
      Content-Length: 1024
      Date: Fri, 27 Nov 2026 08:00:00 GMT
      ETag: "5d8c72a5edda8d6a"
      Cache-Control: no-store
      Sap-Server: true

      """;

  /// Where the socket's bytes are.
  @Param({"heap", "direct"})
  String memory = "heap";

  private ByteBuf request = Unpooled.EMPTY_BUFFER;
  private ByteBuf answer = Unpooled.EMPTY_BUFFER;
  private final HeadEnd end = new HeadEnd(HeadLimits.DEFAULT.headBytes());

  @Setup
  public void fill() {
    request = buffer(REQUEST);
    answer = buffer(ANSWER);
  }

  private ByteBuf buffer(String text) {
    byte[] bytes = text.replace("\n", "\r\n").getBytes(US_ASCII);
    ByteBuf buffer =
        memory.equals("direct")
            ? Unpooled.directBuffer(bytes.length)
            : Unpooled.buffer(bytes.length);
    return buffer.writeBytes(bytes);
  }

  @Benchmark
  public Verdict request() {
    return HeadGate.request(request, 0, lengthOf(request), HeadLimits.DEFAULT);
  }

  @Benchmark
  public Verdict answer() {
    return HeadGate.response(answer, 0, lengthOf(answer), Asked.ORDINARY, HeadLimits.DEFAULT);
  }

  private int lengthOf(ByteBuf head) {
    end.reset();
    if (end.search(head) != HeadEnd.Progress.COMPLETE) {
      throw new IllegalStateException("expected a complete head, found " + end.length() + " bytes");
    }
    return end.length();
  }
}
