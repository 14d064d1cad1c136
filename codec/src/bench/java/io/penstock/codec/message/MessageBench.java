package io.penstock.codec.message;

import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.DeliveryMessage.Configuration;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// Messages to CBOR and back: a small CONTROL, and what a deployment sends and gets back.
@State(Scope.Thread)
public class MessageBench {
  private final ControlMessage admitted = new ControlMessage.Admitted(7, true, 2);
  private final DeliveryMessage configuration =
      new Configuration(
          "erp",
          3,
          "h".repeat(1200),
          new ConfigurationDocument("c".repeat(900), new byte[2048], new byte[3072]));
  private final DeliveryReceipt receipt =
      DeliveryReceipt.of("r".repeat(600), List.of(11L, 12L, 13L));

  private final byte[] admittedBytes = Messages.encode(admitted);
  private final byte[] configurationBytes = Messages.encode(configuration);
  private final byte[] receiptBytes = Messages.encode(receipt);

  @Benchmark
  public byte[] encodeControl() {
    return Messages.encode(admitted);
  }

  @Benchmark
  public Object decodeControl() throws ProtocolException {
    return Messages.decode(admittedBytes);
  }

  @Benchmark
  public byte[] encodeConfiguration() {
    return Messages.encode(configuration);
  }

  @Benchmark
  public Object decodeConfiguration() throws ProtocolException {
    return Messages.decodeDelivery(configurationBytes);
  }

  @Benchmark
  public byte[] encodeReceipt() {
    return Messages.encode(receipt);
  }

  @Benchmark
  public Object decodeReceipt() throws ProtocolException {
    return Messages.decodeReceipt(receiptBytes);
  }
}
