package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Our types in the client's and back. Absent values are `Optional` on our side and NULL on the
/// other.
final class Values {
  private Values() {}

  static List<@Nullable Object> toClient(Object[] arguments) {
    var converted = new ArrayList<@Nullable Object>(arguments.length);
    for (Object argument : arguments) {
      converted.add(toClient(argument));
    }
    return converted;
  }

  private static @Nullable Object toClient(Object value) {
    return switch (value) {
      case Optional<?> optional -> optional.isPresent() ? toClient(optional.get()) : null;
      case Instant instant -> OffsetDateTime.ofInstant(instant, ZoneOffset.UTC);
      case Octets octets -> Buffer.buffer(octets.bytes());
      case byte[] bytes -> Buffer.buffer(bytes);
      case Enum<?> constant -> Stored.text(constant);
      case List<?> list -> list.stream().map(Object::toString).toArray(String[]::new);
      case Map<?, ?> map -> json(map);
      default -> value;
    };
  }

  private static JsonObject json(Map<?, ?> map) {
    var json = new JsonObject();
    map.forEach((key, value) -> json.put(String.valueOf(key), value));
    return json;
  }

  /// An array with nulls where a row has nothing.
  static <R> String[] texts(List<R> rows, Function<R, Optional<String>> field) {
    return rows.stream().map(row -> field.apply(row).orElse(null)).toArray(String[]::new);
  }

  static <R> Buffer[] octets(List<R> rows, Function<R, Octets> field) {
    return rows.stream().map(row -> Buffer.buffer(field.apply(row).bytes())).toArray(Buffer[]::new);
  }

  static <R> OffsetDateTime[] times(List<R> rows, Function<R, Instant> field) {
    return rows.stream()
        .map(row -> OffsetDateTime.ofInstant(field.apply(row), ZoneOffset.UTC))
        .toArray(OffsetDateTime[]::new);
  }

  static String text(Row row, String column) {
    return required(row.getString(column), column);
  }

  static Optional<String> optionalText(Row row, String column) {
    return Optional.ofNullable(row.getString(column));
  }

  static long number(Row row, String column) {
    return required(row.getLong(column), column);
  }

  static UUID uuid(Row row, String column) {
    return required(row.getUUID(column), column);
  }

  static boolean flag(Row row, String column) {
    return required(row.getBoolean(column), column);
  }

  static Instant instant(Row row, String column) {
    return required(row.getOffsetDateTime(column), column).toInstant();
  }

  static Optional<Instant> optionalInstant(Row row, String column) {
    return Optional.ofNullable(row.getOffsetDateTime(column)).map(OffsetDateTime::toInstant);
  }

  static Octets octets(Row row, String column) {
    return Octets.of(required(row.getBuffer(column), column).getBytes());
  }

  static Optional<Octets> optionalOctets(Row row, String column) {
    return Optional.ofNullable(row.getBuffer(column)).map(buffer -> Octets.of(buffer.getBytes()));
  }

  static List<String> list(Row row, String column) {
    return List.copyOf(Arrays.asList(required(row.getArrayOfStrings(column), column)));
  }

  static Map<String, String> textMap(Row row, String column) {
    var map = new LinkedHashMap<String, String>();
    required(row.getJsonObject(column), column)
        .forEach(entry -> map.put(entry.getKey(), String.valueOf(entry.getValue())));
    return map;
  }

  static <E extends Enum<E>> E constant(Row row, String column, Class<E> type) {
    return Stored.constant(text(row, column), type);
  }

  private static <T> T required(@Nullable T value, String column) {
    if (value == null) {
      throw new IllegalStateException("the column " + column + " is null");
    }
    return value;
  }
}
