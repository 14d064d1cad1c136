package io.penstock.codec;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/// The import table of this module, each ban with its reason.
@AnalyzeClasses(
    packages = "io.penstock.codec",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ImportTableTest {
  @ArchTest
  static final ArchRule NO_SOCKETS_OR_THREADS =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "java.net..", "java.nio.channels..", "io.netty.channel..", "io.netty.handler..")
          .orShould()
          .dependOnClassesThat()
          .areAssignableTo(Thread.class)
          .because("the codec is tested as functions: whoever owns a socket or thread calls it");

  @ArchTest
  static final ArchRule NO_LOGGING =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.slf4j..", "java.util.logging..", "java.lang.System$Logger")
          .because(
              "a function says what happened by its result; its caller decides what is logged");

  @ArchTest
  static final ArchRule THE_WIRE_KNOWS_NOBODY =
      noClasses()
          .that()
          .resideInAPackage("io.penstock.codec")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.penstock.codec.*..")
          .because("the vocabulary is what everything else is built on");

  @ArchTest
  static final ArchRule STREAMS_KNOW_NO_KEYS =
      noClasses()
          .that()
          .resideInAnyPackage("io.penstock.codec.frame..", "io.penstock.codec.mux..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.penstock.codec.noise..", "io.penstock.codec.seal..", "javax.crypto..")
          .because("frames and streams must be testable in plaintext");

  @ArchTest
  static final ArchRule HANDSHAKE_KNOWS_NO_FRAMES =
      noClasses()
          .that()
          .resideInAPackage("io.penstock.codec.noise..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.penstock.codec.frame..",
              "io.penstock.codec.mux..",
              "io.penstock.codec.message..",
              "io.penstock.codec.session..")
          .because("the handshake is read beside the Noise specification, which knows no frames");
}
