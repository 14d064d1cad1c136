package io.penstock.loadtest.target;

import io.netty.buffer.ByteBuf;

/// Takes a request's body piece by piece, on the connection's event loop. A piece is valid only
/// during the call.
interface RequestBody {

  void data(ByteBuf piece);

  void end();

  /// For endpoints whose answer does not depend on the body.
  static RequestBody ignored() {
    return new RequestBody() {
      @Override
      public void data(ByteBuf piece) {}

      @Override
      public void end() {}
    };
  }
}
