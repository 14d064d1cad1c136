package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonProperty;

/// One version of a system's configuration, named so that two of the same number are told apart.
public record HeldVersion(long version, @JsonProperty("header_sha256") Octets headerSha256) {
  public HeldVersion {
    Names.requireFromOne(version, "version");
    headerSha256.requireLength(32, "a header's hash");
  }

  /// This as a floor: is `other` below it, or another document of the same number?
  public boolean forbids(HeldVersion other) {
    return other.version < version
        || (other.version == version && !other.headerSha256.equals(headerSha256));
  }
}
