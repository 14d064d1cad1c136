package io.penstock.agent.plugin;

import io.netty.buffer.ByteBuf;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.mux.StreamListener;

/// Stands in for the listener of a stream that was reset as it was opened.
enum Refused implements StreamListener {
  INSTANCE;

  @Override
  public void onData(ByteBuf data, boolean end) {
    // The stream is closed: its frames are dropped before they come here.
  }

  @Override
  public void onReset(ErrorCode code, boolean untouched, String text) {
    // We reset it ourselves.
  }
}
