package io.penstock.broker.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Actor.Origin;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// One request as a route reads it: each getter checks, and refuses with the field's name.
final class Request {
  /// What a misspelt field looks like, and markup does not: named in the answer.
  private static final Pattern FIELD = Pattern.compile("[a-zA-Z][a-zA-Z0-9_]{0,39}");

  private static final JsonFactory STRICT =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final Map<String, String> pathParameters;
  private final io.vertx.core.MultiMap queryParameters;
  private final io.vertx.core.MultiMap fields;
  private final @Nullable Buffer body;
  private final Origin origin;
  private final Credential credential;
  private final HttpMethod method;
  private final @Nullable Actor actor;

  private Request(
      Map<String, String> pathParameters,
      io.vertx.core.MultiMap queryParameters,
      io.vertx.core.MultiMap fields,
      @Nullable Buffer body,
      Origin origin,
      Credential credential,
      HttpMethod method,
      @Nullable Actor actor) {
    this.pathParameters = pathParameters;
    this.queryParameters = queryParameters;
    this.fields = fields;
    this.body = body;
    this.origin = origin;
    this.credential = credential;
    this.method = method;
    this.actor = actor;
  }

  static Request of(RoutingContext context, Origin origin) {
    return new Request(
        Map.copyOf(context.pathParams()),
        context.queryParams(),
        context.request().headers(),
        context.body() == null ? null : context.body().buffer(),
        origin,
        Credential.of(context.request()),
        context.request().method(),
        null);
  }

  /// What another request asks for, as its body alone.
  static Request ofBody(byte[] body) {
    return new Request(
        Map.of(),
        io.vertx.core.MultiMap.caseInsensitiveMultiMap(),
        io.vertx.core.MultiMap.caseInsensitiveMultiMap(),
        Buffer.buffer(body),
        Origin.internal(),
        Credential.NONE,
        HttpMethod.POST,
        null);
  }

  Request as(Actor known) {
    return new Request(
        pathParameters, queryParameters, fields, body, origin, credential, method, known);
  }

  Origin origin() {
    return origin;
  }

  Credential credential() {
    return credential;
  }

  /// The one value of a header field; empty also where there are several.
  Optional<String> field(String name) {
    List<String> values = fields.getAll(name);
    return values.size() == 1 ? Optional.of(values.getFirst()) : Optional.empty();
  }

  /// Empty also where there are two of the name.
  Optional<String> cookie(String name) {
    return Credential.cookie(fields.getAll("Cookie"), name);
  }

  /// For routes that hand cookies out or take them, whatever else the request shows.
  void requireOurPage() {
    credential.requireOurPage(method);
  }

  Optional<String> token() {
    return credential.token(method);
  }

  Actor actor() {
    if (actor == null) {
      throw Problem.unauthorized();
    }
    return actor;
  }

  String path(String name) {
    String value = pathParameters.get(name);
    if (value == null) {
      throw new IllegalStateException("the route has no parameter " + name);
    }
    return value;
  }

  Optional<String> query(String name) {
    return Optional.ofNullable(queryParameters.get(name)).filter(value -> !value.isEmpty());
  }

  /// Empty also where there are several of the name, of which another reader might take another.
  Optional<String> onlyQuery(String name) {
    return queryParameters.getAll(name).size() == 1 ? query(name) : Optional.empty();
  }

  /// Each value of the name.
  List<String> queries(String name) {
    return queryParameters.getAll(name);
  }

  Optional<Instant> queryInstant(String name) {
    return query(name)
        .map(
            text -> {
              try {
                return Instant.parse(text);
              } catch (DateTimeException e) {
                throw Problem.badRequest(name + ": expected a time such as 2026-01-31T12:00:00Z");
              }
            });
  }

  long queryNumber(String name, long otherwise, long min, long max) {
    return query(name).map(text -> number(name, text, min, max)).orElse(otherwise);
  }

  private static long number(String name, String text, long min, long max) {
    try {
      long value = Long.parseLong(text);
      if (value >= min && value <= max) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw expected(name, "a whole number from " + min + " to " + max);
    }
    throw expected(name, "a whole number from " + min + " to " + max);
  }

  boolean hasNoBody() {
    return body == null || body.length() == 0;
  }

  /// The JSON object of the body, with no field outside `fields`.
  JsonObject json(String... fields) {
    if (body == null || body.length() == 0) {
      throw Problem.badRequest("expected a JSON object as the body");
    }
    JsonObject object;
    try {
      object = body.toJsonObject();
    } catch (DecodeException | ClassCastException e) {
      throw Problem.badRequest("expected a JSON object as the body");
    }
    var known = Set.of(fields);
    for (String field : object.fieldNames()) {
      if (!known.contains(field)) {
        throw Problem.badRequest(
            "expected only the fields "
                + String.join(", ", fields)
                + ", found "
                + (FIELD.matcher(field).matches() ? field : "another"));
      }
    }
    return object;
  }

  /// [#json] for what will be signed: refuses an object with a name twice, of which another reader
  /// might take the other one.
  JsonObject unambiguousJson(String... fields) {
    JsonObject object = json(fields);
    try (JsonParser tokens = STRICT.createParser(body == null ? new byte[0] : body.getBytes())) {
      while (tokens.nextToken() != null) {
        // Reading on is the check.
      }
    } catch (IOException _) {
      throw Problem.badRequest("expected a JSON object without a name twice as the body");
    }
    return object;
  }

  static String text(JsonObject object, String field) {
    return optionalText(object, field).orElseThrow(() -> expected(field, "a text"));
  }

  static Optional<String> optionalText(JsonObject object, String field) {
    return switch (object.getValue(field)) {
      case null -> Optional.empty();
      case String text when !text.isEmpty() && text.length() <= 4096 -> Optional.of(text);
      default -> throw expected(field, "a text of 1 to 4096 characters");
    };
  }

  static long number(JsonObject object, String field, long min, long max) {
    if (object.getValue(field) instanceof Number number
        && number.doubleValue() == Math.rint(number.doubleValue())
        && number.longValue() >= min
        && number.longValue() <= max) {
      return number.longValue();
    }
    throw expected(field, "a whole number from " + min + " to " + max);
  }

  static boolean flag(JsonObject object, String field) {
    return switch (object.getValue(field)) {
      case null -> false;
      case Boolean flag -> flag;
      default -> throw expected(field, "true or false");
    };
  }

  static List<String> texts(JsonObject object, String field) {
    return switch (object.getValue(field)) {
      case null -> List.of();
      case JsonArray array -> {
        var texts = new ArrayList<String>();
        for (Object item : array) {
          if (!(item instanceof String text) || text.isEmpty() || texts.size() >= 1000) {
            throw expected(field, "a list of at most 1000 texts");
          }
          texts.add(text);
        }
        yield texts;
      }
      default -> throw expected(field, "a list of texts");
    };
  }

  static Map<String, String> textMap(JsonObject object, String field) {
    return switch (object.getValue(field)) {
      case null -> Map.of();
      case JsonObject map -> {
        var texts = new LinkedHashMap<String, String>();
        for (Map.Entry<String, Object> entry : map) {
          if (!(entry.getValue() instanceof String text) || texts.size() >= 100) {
            throw expected(field, "an object of at most 100 texts");
          }
          texts.put(entry.getKey(), text);
        }
        yield texts;
      }
      default -> throw expected(field, "an object of texts");
    };
  }

  /// A merge patch of texts (RFC 7396): null = the entry goes.
  static Map<String, Optional<String>> textChanges(JsonObject object, String field) {
    if (!(object.getValue(field) instanceof JsonObject map)) {
      throw expected(field, "an object of texts");
    }
    var changes = new LinkedHashMap<String, Optional<String>>();
    for (Map.Entry<String, Object> entry : map) {
      changes.put(
          entry.getKey(),
          switch (entry.getValue()) {
            case null -> Optional.empty();
            case String text -> Optional.of(text);
            default -> throw expected(field, "an object of texts");
          });
    }
    return changes;
  }

  static Problem expected(String field, String what) {
    return Problem.badRequest(field + ": expected " + what);
  }
}
