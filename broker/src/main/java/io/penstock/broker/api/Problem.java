package io.penstock.broker.api;

import io.penstock.broker.problem.ProblemDocument;
import java.util.List;
import java.util.OptionalInt;

/// An error of the API, thrown by what answers a request. Title and detail go to strangers: fixed
/// texts and names of fields, never what the request held.
final class Problem extends RuntimeException {
  private final ProblemDocument document;
  private final OptionalInt retryAfterSeconds;
  private final boolean endsCookies;

  private Problem(int status, String title, String detail, OptionalInt retryAfterSeconds) {
    this(new ProblemDocument(status, title, detail), retryAfterSeconds, false);
  }

  private Problem(ProblemDocument document, OptionalInt retryAfterSeconds, boolean endsCookies) {
    super(document.detail(), null, false, false);
    this.document = document;
    this.retryAfterSeconds = retryAfterSeconds;
    this.endsCookies = endsCookies;
  }

  static Problem of(int status, String title, String detail) {
    return new Problem(status, title, detail, OptionalInt.empty());
  }

  static Problem of(int status, String title, String detail, List<ProblemDocument.Finding> errors) {
    return new Problem(
        new ProblemDocument(status, title, detail, errors), OptionalInt.empty(), false);
  }

  /// Not now: try again after some seconds.
  static Problem later(int status, String title, String detail, int retryAfterSeconds) {
    return new Problem(status, title, detail, OptionalInt.of(retryAfterSeconds));
  }

  static Problem badRequest(String detail) {
    return of(400, "bad-request", detail);
  }

  static Problem unauthorized() {
    return of(401, "unauthorized", "a valid access token is needed");
  }

  static Problem forbidden(String permission) {
    return of(403, "forbidden", "this needs the permission " + permission);
  }

  static Problem notFound(String what) {
    return of(404, "not-found", "there is no such " + what);
  }

  static Problem conflict(String title, String detail) {
    return of(409, title, detail);
  }

  static Problem limited(int retryAfterSeconds) {
    return new Problem(429, "rate-limited", "too many attempts", OptionalInt.of(retryAfterSeconds));
  }

  static Problem unavailable() {
    return new Problem(503, "unavailable", "the database does not answer", OptionalInt.of(2));
  }

  static Problem internal() {
    return of(500, "internal", "the broker could not do this; its log tells why");
  }

  /// This, and what the browser holds is of no use any more.
  Problem andEndCookies() {
    return new Problem(document, retryAfterSeconds, true);
  }

  boolean endsCookies() {
    return endsCookies;
  }

  int status() {
    return document.status();
  }

  OptionalInt retryAfterSeconds() {
    return retryAfterSeconds;
  }

  ProblemDocument document() {
    return document;
  }
}
