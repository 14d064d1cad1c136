package io.penstock.broker.edge;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BearerTokenTest {

  @Test
  void printsNothingOfItsSecret() {
    assertThat(new BearerToken("s3cret")).asString().doesNotContain("s3cret");
  }
}
