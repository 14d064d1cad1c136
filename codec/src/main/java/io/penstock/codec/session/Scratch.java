package io.penstock.codec.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.codec.Protocol;

/// Arrays that all sessions of one event loop share while they handle one record, so that an idle
/// session holds none.
/// One per event loop; never used across threads.
public final class Scratch {
  final byte[] ciphertext = new byte[Protocol.MAX_RECORD_BYTES];
  final ByteBuf plaintext = Unpooled.buffer(Protocol.MAX_WRITTEN_PLAINTEXT_BYTES);
}
