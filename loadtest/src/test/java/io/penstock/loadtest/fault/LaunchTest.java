package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import org.junit.jupiter.api.Test;

class LaunchTest {
  @Test
  void testsRunWithTheLaunchersJvmOptions() throws Exception {
    String launcher = Files.readString(Home.find().launcher());

    assertThat(Launch.JVM_OPTIONS).allSatisfy(option -> assertThat(launcher).contains(option));
    assertThat(StartCache.QUIET).allSatisfy(option -> assertThat(launcher).contains(option));
  }

  @Test
  void whatMayHoldASecretIsNotPrinted() {
    Launch launch =
        Launch.agent("--data", "x").input("pen1.secret").variable("PENSTOCK_TOKEN", "secret");

    assertThat(launch).asString().doesNotContain("secret");
  }
}
