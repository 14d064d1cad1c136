package io.penstock.broker.keys;

import io.penstock.codec.seal.Octets;
import java.security.GeneralSecurityException;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// The HMAC on rows that grant something. Whoever can write the database but not read the keystore
/// can spoil such a row, not make one.
public final class RowMac {
  /// Never used itself: a copy of it needs no provider looked up and no key set again.
  private final Mac keyed;

  RowMac(byte[] key) {
    try {
      keyed = Mac.getInstance("HmacSHA256");
      keyed.init(new SecretKeySpec(key, "HmacSHA256"));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has HmacSHA256", e);
    }
  }

  /// `fields` are all that grants, the row's key and version first; their order is the table's.
  public Octets of(String table, List<String> fields) {
    Mac one = fresh();
    new Fields("penstock row 1").text(table).list(fields).feed(one);
    return Octets.of(one.doFinal());
  }

  private Mac fresh() {
    try {
      return (Mac) keyed.clone();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("the JDK's HmacSHA256 can be copied", e);
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
