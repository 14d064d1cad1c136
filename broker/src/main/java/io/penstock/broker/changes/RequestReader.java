package io.penstock.broker.changes;

/// Reads a request of the API as the operation that it asks for.
public interface RequestReader {
  Operation read(String method, String path, byte[] body);
}
