package io.penstock.broker.tunnel;

import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.message.ControlMessage.StateReport;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;

/// Writes down what sessions tell of deliveries, and answers nothing by itself.
final class RecordedDeliveries implements Deliveries {
  final ConcurrentLinkedQueue<String> heard = new ConcurrentLinkedQueue<>();
  final List<DocumentStream> requests = new CopyOnWriteArrayList<>();
  volatile boolean room = true;

  @Override
  public boolean receipt(LiveSession session, long sequence, byte[] body) {
    heard.add("receipt " + sequence + " " + body.length);
    return room;
  }

  @Override
  public void stateReported(LiveSession session, StateReport report) {
    heard.add("state " + report.sequence());
  }

  @Override
  public void rewrapped(LiveSession session, Rewrapped told) {
    heard.add("rewrapped " + told.system() + " " + told.version());
  }

  @Override
  public void requested(LiveSession session, DocumentStream stream) {
    heard.add("document " + stream.request().system() + " " + stream.request().version());
    requests.add(stream);
  }
}
