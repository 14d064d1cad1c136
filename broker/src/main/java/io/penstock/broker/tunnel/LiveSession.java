package io.penstock.broker.tunnel;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.StateReport;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/// An admitted tunnel. Unless said otherwise its methods may be called on any thread.
public interface LiveSession {
  ControlChannel.Admission admission();

  InetAddress remote();

  Instant connectedAt();

  /// The thread of this tunnel; [#open] and everything of its streams happens there.
  EventLoop eventLoop();

  /// On [#eventLoop] only. Takes ownership of `head`. Empty: no room, draining or closed; try
  /// another session.
  Optional<MuxStream> open(ByteBuf head, boolean end, StreamListener user);

  /// What the agent says it serves; empty until it has said so.
  EffectiveRules rules();

  /// What the agent says runs on it; empty until it has said so.
  Optional<StateReport> stateReport();

  /// Streams under way, for choosing the least busy session.
  int outstanding();

  /// Smoothed round trip of PINGs and probes in nanoseconds; 0 = not measured yet.
  long roundTripNanos();

  /// No new streams are taken here.
  boolean draining();

  boolean isOpen();

  void send(ControlMessage message);

  /// Sends a MESSAGE; the order of calls is that of the wire. Who sends bounds what is unanswered.
  ///
  /// @param body CBOR of a delivery message; nobody changes it
  /// @return false when the tunnel is gone
  boolean message(long sequence, byte[] body);

  /// Whether the peer answers a PING within `within`.
  CompletionStage<Boolean> probe(Duration within);

  /// Asks the agent to replace this tunnel at a random time within `spread`; running streams have
  /// `within` to finish (`docs/protocol.md`, section 8).
  void drain(Duration spread, Duration within);

  /// Sends CLOSE and closes; running streams are cut.
  void close(ErrorCode code, String text);
}
