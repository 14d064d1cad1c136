package io.penstock.codec.seal;

import java.util.List;

/// Follows an owner's rotated roots from the one that somebody pinned to the one that is shown.
/// Trust moves forward only: nothing leads back to an older root but its successor's own signature.
public final class RootChain {
  /// More rotations than this since the pin leave its holder behind.
  public static final int MAX_LINKS = 16;

  private RootChain() {}

  /// Throws [SealException] unless `shown` is the pinned root, or `links` lead from the pinned one
  /// to it, each signed by the one before.
  ///
  /// @param links oldest first; what stands before the pinned root is not looked at
  public static void requireLeadsTo(
      VerifyingKey shown, List<RootLink> links, Octets pinnedRootSha256) {
    if (shown.sha256().equals(pinnedRootSha256)) {
      return;
    }
    if (links.size() > MAX_LINKS) {
      throw new SealException(
          "expected at most " + MAX_LINKS + " cross-signatures, found " + links.size());
    }
    int at = 0;
    while (at < links.size() && !links.get(at).root().sha256().equals(pinnedRootSha256)) {
      at++;
    }
    if (at == links.size()) {
      throw new SealException(
          links.isEmpty()
              ? "the root key is not the pinned one"
              : "the root key is not the pinned one, and no cross-signature starts at that");
    }
    VerifyingKey reached = links.get(at).root();
    long sequence = 0;
    for (RootLink link : links.subList(at, links.size())) {
      RootLink.Succession succession = link.verify();
      if (!link.root().equals(reached) || (sequence > 0 && succession.sequence() != sequence + 1)) {
        throw new SealException("the cross-signatures of the roots do not follow each other");
      }
      sequence = succession.sequence();
      reached = succession.successor();
    }
    if (!reached.equals(shown)) {
      throw new SealException("the cross-signatures lead to another root than the one shown");
    }
  }
}
