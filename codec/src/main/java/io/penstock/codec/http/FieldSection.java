package io.penstock.codec.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Optional;

/// The fields of one head, read once from the first line's end to the empty line. Each byte is
/// looked at once; nothing is allocated per field. What was seen of framing and routing stays in
/// the fields for the two heads to weigh.
final class FieldSection {

  private static final byte[] CHUNKED = "chunked".getBytes(US_ASCII);
  private static final byte[] CONTINUE = "100-continue".getBytes(US_ASCII);

  /// Below 10^18, so that no reader with 64 bits can overflow.
  private static final int MAX_LENGTH_DIGITS = 18;

  private final byte[] bytes;
  private final int end;
  private final int maxFields;

  private int at;
  private int valueFrom;
  private int valueTo;

  int hosts;
  int hostFrom;
  int hostTo;
  boolean hasContentLength;
  long contentLength;
  boolean isChunked;
  boolean asksUpgrade;
  private boolean hasExpectation;
  private int hiddenBodyMarks;

  FieldSection(byte[] bytes, int end, int maxFields) {
    this.bytes = bytes;
    this.end = end;
    this.maxFields = maxFields;
  }

  /// Reads all fields; the first fault ends the reading.
  Optional<Refusal> read(int from) {
    at = from;
    for (int count = 0; !isAtEmptyLine(); count++) {
      if (count == maxFields) {
        return Optional.of(Refusal.TOO_MANY_FIELDS);
      }
      Optional<Refusal> fault = readField();
      if (fault.isPresent()) {
        return fault;
      }
    }
    return Optional.empty();
  }

  /// A body that some reader would see: zero bytes are no body to anyone.
  boolean declaresBody() {
    return isChunked || contentLength > 0;
  }

  boolean hidesBody() {
    return hiddenBodyMarks > 0;
  }

  /// RFC 9112 section 6.1 would let Transfer-Encoding win; a reader that does not know that sees
  /// another end.
  Optional<Refusal> contradiction(boolean http11) {
    if (isChunked && !http11) {
      return Optional.of(Refusal.TRANSFER_ENCODING_ON_HTTP_1_0);
    }
    if (isChunked && hasContentLength) {
      return Optional.of(Refusal.TWO_FRAMINGS);
    }
    return Optional.empty();
  }

  private boolean isAtEmptyLine() {
    return at == end - 2 && bytes[at] == Octets.CR && bytes[at + 1] == Octets.LF;
  }

  private Optional<Refusal> readField() {
    int nameFrom = at;
    int hash = 0;
    boolean punctuated = false;
    int i = nameFrom;
    while (i < end) {
      byte folded = Octets.fold(bytes[i]);
      if (folded == 0) {
        break;
      }
      if (folded == Octets.PUNCTUATION) {
        punctuated = true;
        folded = '-';
      }
      hash = KnownField.hash(hash, folded);
      i++;
    }
    at = i;
    if (at == nameFrom || at == end || bytes[at] != ':') {
      return Optional.of(nameFault(nameFrom));
    }
    int nameTo = at;
    KnownField field = KnownField.find(bytes, nameFrom, nameTo, hash);
    if (punctuated
        && (field != KnownField.OTHER || KnownField.resemblesOurs(bytes, nameFrom, nameTo))) {
      return Optional.of(Refusal.LOOKALIKE_NAME);
    }
    at = nameTo + 1;
    if (!readValue()) {
      return Optional.of(valueFault());
    }
    return judge(field);
  }

  private Refusal nameFault(int nameFrom) {
    if (at == end) {
      return Refusal.BAD_FIELD_NAME;
    }
    if (at == nameFrom && Octets.isBlank(bytes[at])) {
      return Refusal.OBS_FOLD;
    }
    return isBareLineEnd() ? Refusal.BARE_LINE_END : Refusal.BAD_FIELD_NAME;
  }

  private Refusal valueFault() {
    return at < end && isBareLineEnd() ? Refusal.BARE_LINE_END : Refusal.BAD_FIELD_VALUE;
  }

  private boolean isBareLineEnd() {
    return bytes[at] == Octets.LF
        || (bytes[at] == Octets.CR && (at + 1 == end || bytes[at + 1] != Octets.LF));
  }

  /// Leaves the value without surrounding blanks in `[valueFrom, valueTo)` and `at` behind the
  /// line, or at the byte in the way.
  private boolean readValue() {
    while (at < end && Octets.isBlank(bytes[at])) {
      at++;
    }
    valueFrom = at;
    at = Octets.fieldBytesEnd(bytes, at, end);
    if (at + 1 >= end || bytes[at] != Octets.CR || bytes[at + 1] != Octets.LF) {
      return false;
    }
    valueTo = at;
    while (valueTo > valueFrom && Octets.isBlank(bytes[valueTo - 1])) {
      valueTo--;
    }
    at += 2;
    return true;
  }

  private Optional<Refusal> judge(KnownField field) {
    switch (field) {
      case OTHER -> {
        return Optional.empty();
      }
      case HOST -> noteHost();
      case CONTENT_LENGTH -> {
        return noteContentLength();
      }
      case TRANSFER_ENCODING -> {
        return noteTransferEncoding();
      }
      case CONNECTION -> {
        return judgeConnection();
      }
      case EXPECT -> {
        return noteExpectation();
      }
      case UPGRADE -> asksUpgrade = true;
      case SEC_WEBSOCKET_KEY1, SEC_WEBSOCKET_KEY2, SEC_WEBSOCKET_ORIGIN, SEC_WEBSOCKET_LOCATION ->
          hiddenBodyMarks++;
      default -> {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  private void noteHost() {
    hosts++;
    hostFrom = valueFrom;
    hostTo = valueTo;
  }

  private Optional<Refusal> noteContentLength() {
    if (hasContentLength) {
      return Optional.of(Refusal.REPEATED_CONTENT_LENGTH);
    }
    hasContentLength = true;
    int digits = valueTo - valueFrom;
    // A leading zero is octal to some readers.
    if (digits == 0 || digits > MAX_LENGTH_DIGITS || (bytes[valueFrom] == '0' && digits > 1)) {
      return Optional.of(Refusal.BAD_CONTENT_LENGTH);
    }
    for (int i = valueFrom; i < valueTo; i++) {
      if (!Octets.isDigit(bytes[i])) {
        return Optional.of(Refusal.BAD_CONTENT_LENGTH);
      }
      contentLength = contentLength * 10 + bytes[i] - '0';
    }
    return Optional.empty();
  }

  private Optional<Refusal> noteTransferEncoding() {
    if (isChunked) {
      return Optional.of(Refusal.REPEATED_TRANSFER_ENCODING);
    }
    isChunked = true;
    return Octets.equalsIgnoringCase(bytes, valueFrom, valueTo, CHUNKED)
        ? Optional.empty()
        : Optional.of(Refusal.BAD_TRANSFER_ENCODING);
  }

  private Optional<Refusal> noteExpectation() {
    boolean repeated = hasExpectation;
    hasExpectation = true;
    return !repeated && Octets.equalsIgnoringCase(bytes, valueFrom, valueTo, CONTINUE)
        ? Optional.empty()
        : Optional.of(Refusal.BAD_EXPECTATION);
  }

  /// A field named by Connection is removed on the way (RFC 9110 section 7.6.1); those that say
  /// where a message goes and ends must not be.
  private Optional<Refusal> judgeConnection() {
    int i = valueFrom;
    while (i < valueTo) {
      int optionFrom = i;
      int hash = 0;
      while (i < valueTo && Octets.isToken(bytes[i])) {
        byte folded = Octets.fold(bytes[i]);
        hash = KnownField.hash(hash, folded == Octets.PUNCTUATION ? (byte) '-' : folded);
        i++;
      }
      if (isFraming(KnownField.find(bytes, optionFrom, i, hash))) {
        return Optional.of(Refusal.CONNECTION_NAMES_FRAMING);
      }
      i++;
    }
    return Optional.empty();
  }

  private static boolean isFraming(KnownField field) {
    return field == KnownField.HOST
        || field == KnownField.CONTENT_LENGTH
        || field == KnownField.TRANSFER_ENCODING;
  }
}
