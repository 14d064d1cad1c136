package io.penstock.broker.measure;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.DataFormatException;
import org.HdrHistogram.IntCountsHistogram;

/// How long one hop took, of many calls: an HdrHistogram of microseconds with two digits, so that
/// every figure is within 1 % of a real one, and the sum of two is exactly what one of all would
/// have been. Belongs to one thread.
public final class Times {
  /// How far a figure may be from the truth, as a share of it.
  public static final double PRECISION = 0.01;

  private static final int DIGITS = 2;
  private static final double MICROS_PER_MS = 1_000.0;

  /// Upper ends of the cells of a heatmap in µs: 0.1 ms to 100 s, seven to a decade.
  private static final long[] BOUNDS = bounds();

  private final IntCountsHistogram histogram = new IntCountsHistogram(DIGITS);
  private long sumMicros;

  private static long[] bounds() {
    var bounds = new long[43];
    for (int i = 0; i < bounds.length; i++) {
      bounds[i] = Math.round(100 * Math.pow(10, i / 7.0));
    }
    return bounds;
  }

  public static double[] boundsMs() {
    var bounds = new double[BOUNDS.length];
    for (int i = 0; i < bounds.length; i++) {
      bounds[i] = BOUNDS[i] / MICROS_PER_MS;
    }
    return bounds;
  }

  public static Times none() {
    return new Times();
  }

  public static Times copyOf(Times times) {
    var copy = new Times();
    copy.add(times);
    return copy;
  }

  void record(int micros) {
    histogram.recordValue(micros);
    sumMicros += micros;
  }

  public void add(Times more) {
    histogram.add(more.histogram);
    sumMicros += more.sumMicros;
  }

  void reset() {
    histogram.reset();
    sumMicros = 0;
  }

  public long count() {
    return histogram.getTotalCount();
  }

  public boolean isEmpty() {
    return count() == 0;
  }

  /// Of the real times, not of the histogram's cells.
  public double meanMs() {
    return isEmpty() ? 0 : sumMicros / MICROS_PER_MS / count();
  }

  public double minMs() {
    return histogram.getMinValue() / MICROS_PER_MS;
  }

  public double maxMs() {
    return histogram.getMaxValue() / MICROS_PER_MS;
  }

  /// @param percentile 0 to 100
  public double percentileMs(double percentile) {
    return histogram.getValueAtPercentile(percentile) / MICROS_PER_MS;
  }

  /// A cell of a heatmap and how many are in it.
  ///
  /// @param index of its upper end in [#boundsMs]; their number = above the last
  public record Cell(int index, long count) {}

  /// Those that are not empty, in rising order.
  public List<Cell> cells() {
    var counts = new long[BOUNDS.length + 1];
    histogram
        .recordedValues()
        .forEach(
            value -> counts[cell(value.getValueIteratedTo())] += value.getCountAtValueIteratedTo());
    var cells = new ArrayList<Cell>();
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] > 0) {
        cells.add(new Cell(i, counts[i]));
      }
    }
    return cells;
  }

  private static int cell(long micros) {
    int low = 0;
    int high = BOUNDS.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (BOUNDS[middle] < micros) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /// What storage holds.
  ///
  /// @param histogram HdrHistogram's compressed encoding V2, which any tool of it reads
  record Encoded(long sumMicros, byte[] histogram) {}

  Encoded encoded() {
    ByteBuffer buffer = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
    histogram.encodeIntoCompressedByteBuffer(buffer);
    buffer.flip();
    var bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return new Encoded(sumMicros, bytes);
  }

  /// Adds what [#encoded] of another made.
  ///
  /// @throws IllegalArgumentException when they are no histogram
  void add(Encoded more) {
    try {
      histogram.add(
          IntCountsHistogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(more.histogram), 0));
    } catch (DataFormatException broken) {
      throw new IllegalArgumentException("expected a compressed histogram", broken);
    }
    sumMicros += more.sumMicros;
  }
}
