package io.penstock.broker.tunnel;

import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.message.ControlMessage.StateReport;

/// What admitted agents say about configurations and messages: delivery. Called on the session's
/// event loop; must not block.
public interface Deliveries {

  /// An agent answers the message `sequence`.
  ///
  /// @param body CBOR as it came, at most 8 KiB
  /// @return false when too many receipts of this session wait already: it ends
  boolean receipt(LiveSession session, long sequence, byte[] body);

  /// What runs on the agent, told anew.
  void stateReported(LiveSession session, StateReport report);

  /// The agent wrapped a version's key to its present sealing key. Dropped when too many wait.
  void rewrapped(LiveSession session, Rewrapped told);

  /// The agent asks for a document; the stream waits for its answer.
  void requested(LiveSession session, DocumentStream stream);
}
