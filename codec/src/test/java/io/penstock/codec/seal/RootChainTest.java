package io.penstock.codec.seal;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RootChainTest {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final List<SigningKey> roots = new ArrayList<>();
  private final List<RootLink> links = new ArrayList<>();

  @BeforeEach
  void rotateThreeTimes() {
    roots.add(SigningKey.generate(RANDOM));
    for (int i = 0; i < 3; i++) {
      rotate();
    }
  }

  private void rotate() {
    SigningKey next = SigningKey.generate(RANDOM);
    links.add(link(roots.getLast(), roots.size(), next));
    roots.add(next);
  }

  private static RootLink link(SigningKey from, long sequence, SigningKey to) {
    return RootLink.sign(from, new RootLink.Succession(sequence, to.verifyingKey(), 1_000));
  }

  private void follow(int pinned, int shown) {
    RootChain.requireLeadsTo(
        roots.get(shown).verifyingKey(), links, roots.get(pinned).verifyingKey().sha256());
  }

  @Test
  void leadsFromEveryOlderRootToTheNewest() {
    for (int pinned = 0; pinned < roots.size(); pinned++) {
      int from = pinned;
      assertThatCode(() -> follow(from, 3)).doesNotThrowAnyException();
    }
  }

  @Test
  void neverLeadsBack() {
    assertThatThrownBy(() -> follow(3, 2)).hasMessageContaining("no cross-signature starts");
    assertThatThrownBy(() -> follow(1, 0)).hasMessageContaining("another root");
  }

  @Test
  void aPinWithoutAnyLinkHoldsForItsOwnRootOnly() {
    links.clear();

    assertThatCode(() -> follow(0, 0)).doesNotThrowAnyException();
    assertThatThrownBy(() -> follow(0, 1)).hasMessage("the root key is not the pinned one");
  }

  @Test
  void aLinkThatTheOlderRootDidNotSignIsRefused() {
    SigningKey thief = SigningKey.generate(RANDOM);
    RootLink forged = link(thief, 2, thief);
    links.set(1, new RootLink(links.get(1).root(), forged.jws()));

    assertThatThrownBy(() -> follow(0, 3)).isInstanceOf(SealException.class);
  }

  @Test
  void aLinkLeftOutOrPutElsewhereIsRefused() {
    RootLink middle = links.remove(1);
    assertThatThrownBy(() -> follow(0, 3)).hasMessageContaining("do not follow each other");

    links.addFirst(middle);
    assertThatThrownBy(() -> follow(0, 3)).isInstanceOf(SealException.class);
  }

  @Test
  void aSequenceThatJumpsIsRefused() {
    SigningKey next = SigningKey.generate(RANDOM);
    links.add(link(roots.getLast(), 9, next));
    roots.add(next);

    assertThatThrownBy(() -> follow(0, 4)).hasMessageContaining("do not follow each other");
  }

  @Test
  void moreLinksThanTheLimitAreNotLookedAt() {
    while (links.size() <= RootChain.MAX_LINKS) {
      rotate();
    }

    assertThatThrownBy(() -> follow(0, roots.size() - 1))
        .hasMessage("expected at most 16 cross-signatures, found 17");
  }

  @Test
  void aSuccessionIsNoKeysetAndAKeysetNoSuccession() {
    String keyset = new Keyset(1, 0, 10, List.of()).sign(roots.getFirst());

    assertThatThrownBy(() -> new RootLink(roots.getFirst().verifyingKey(), keyset).verify())
        .isInstanceOf(SealException.class);
  }
}
