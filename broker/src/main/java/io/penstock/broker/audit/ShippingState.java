package io.penstock.broker.audit;

/// How far the audit trail is in Kafka, for metrics.
///
/// @param on a place in Kafka is configured
/// @param shipping this broker brings the trail there, or tries to
/// @param position of the last record that Kafka has acknowledged
/// @param lag sealed records that are not there yet
/// @param secondsBehind since when something waits; 0 = nothing does
public record ShippingState(
    boolean on, boolean shipping, long position, long lag, double secondsBehind) {

  public static final ShippingState OFF = new ShippingState(false, false, 0, 0, 0);
}
