package io.penstock.codec;

import io.netty.buffer.ByteBuf;

/// HEAD: the status and fields of an answer, and where the time until then went.
///
/// @param status HTTP status; 1xx = another head follows
/// @param agentMicros inside the agent, without the system
/// @param systemMicros from the request's last needed byte to the system's head
public record AnswerHead(int status, long agentMicros, long systemMicros, Fields fields) {

  public void write(ByteBuf out) {
    out.writeShort(status).writeInt((int) agentMicros).writeInt((int) systemMicros);
    fields.write(out);
  }

  public static AnswerHead read(ByteBuf in) throws ProtocolException {
    Text.need(in, 10, "HEAD");
    int status = in.readUnsignedShort();
    if (status < 100 || status > 599) {
      throw new ProtocolException(
          ErrorCode.BAD_ANSWER, "expected a status from 100 to 599, found " + status);
    }
    return new AnswerHead(status, in.readUnsignedInt(), in.readUnsignedInt(), Fields.read(in));
  }
}
