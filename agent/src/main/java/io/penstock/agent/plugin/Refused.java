package io.penstock.agent.plugin;

import io.netty.buffer.ByteBuf;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.mux.StreamListener;

/// Listens to a stream that was reset before it began.
public enum Refused implements StreamListener {
  LISTENER;

  @Override
  public void onData(ByteBuf data, boolean end) {
    throw new IllegalStateException("DATA on a stream that was reset");
  }

  @Override
  public void onReset(ErrorCode code, boolean untouched, String text) {
    // It was us.
  }
}
