package io.penstock.codec.noise;

/// One record to an array of its own.
final class Records {
  private Records() {}

  static byte[] seal(CipherState sender, byte[] plaintext) {
    byte[] record = new byte[plaintext.length + CipherState.TAG_BYTES];
    sender.seal(plaintext, 0, plaintext.length, record, 0);
    return record;
  }

  static byte[] open(CipherState receiver, byte[] record) throws RecordException {
    byte[] plaintext = new byte[Math.max(0, record.length - CipherState.TAG_BYTES)];
    receiver.open(record, 0, record.length, plaintext, 0);
    return plaintext;
  }
}
