package io.penstock.broker.keys;

import io.penstock.codec.seal.Octets;
import java.security.GeneralSecurityException;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/// The HMAC on rows that grant something. Whoever can write the database but not read the keystore
/// can spoil such a row, not make one.
public final class RowMac {
  private final SecretKey key;

  RowMac(byte[] key) {
    this.key = new SecretKeySpec(key, "HmacSHA256");
  }

  /// `fields` are all that grants, the row's key and version first; their order is the table's.
  public Octets of(String table, List<String> fields) {
    byte[] row = new Fields("penstock row 1").text(table).list(fields).toBytes();
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      return Octets.of(mac.doFinal(row));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has HmacSHA256", e);
    }
  }

  public boolean holds(Octets mac, String table, List<String> fields) {
    return of(table, fields).equals(mac);
  }

  @Override
  public String toString() {
    return "RowMac[secret]";
  }
}
