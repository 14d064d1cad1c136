package io.penstock.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.AsciiString;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// HTTP heads as they travel: the whole payload of an OPEN and of a HEAD, of a caller and a system
/// that say as much as usual.
@State(Scope.Thread)
public class HeadBench {
  private final OpenHead open =
      new OpenHead(
          StreamKind.HTTP,
          Deadlines.DEFAULT,
          new RequestIds(1, 2, 3, 4, 5, 1),
          AsciiString.of("erp"),
          AsciiString.of("service-account:billing"));
  private final RequestHead request =
      new RequestHead(
          AsciiString.of("GET"),
          AsciiString.of("/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder?$top=50"),
          fields(
              "accept", "application/json",
              "accept-encoding", "gzip, deflate",
              "accept-language", "en",
              "user-agent", "billing/4.12 (+https://billing.example.com)",
              "x-correlation-id", "0f8fad5b-d9cb-469f-a165-70867728950e",
              "if-none-match", "\"5d8c72a5edda8d6a\""));
  private final AnswerHead answer =
      new AnswerHead(
          200,
          120,
          1_800,
          fields(
              "content-type", "application/json;charset=utf-8",
              "content-length", "1024",
              "date", "Fri, 27 Nov 2026 08:00:00 GMT",
              "etag", "\"5d8c72a5edda8d6a\"",
              "cache-control", "no-store",
              "sap-server", "true"));

  private final ByteBuf out = Unpooled.buffer(1024);
  private final ByteBuf opened = Unpooled.buffer(1024);
  private final ByteBuf answered = Unpooled.buffer(1024);

  private static Fields fields(String... namesAndValues) {
    var fields = new Fields(namesAndValues.length / 2);
    for (int i = 0; i < namesAndValues.length; i += 2) {
      fields.add(AsciiString.of(namesAndValues[i]), AsciiString.of(namesAndValues[i + 1]));
    }
    return fields;
  }

  @Setup
  public void write() {
    open.write(opened);
    request.write(opened);
    answer.write(answered);
  }

  @Benchmark
  public ByteBuf encodeRequest() {
    open.write(out.clear());
    request.write(out);
    return out;
  }

  @Benchmark
  public int decodeRequest() throws ProtocolException {
    OpenHead openRead = OpenHead.read(opened.readerIndex(0));
    RequestHead requestRead = RequestHead.read(opened);
    return openRead.system().length() + requestRead.fields().count();
  }

  @Benchmark
  public ByteBuf encodeAnswer() {
    answer.write(out.clear());
    return out;
  }

  @Benchmark
  public int decodeAnswer() throws ProtocolException {
    AnswerHead read = AnswerHead.read(answered.readerIndex(0));
    return read.status() + read.fields().count();
  }
}
