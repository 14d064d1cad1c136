package io.penstock.agent;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/// The import table of the agent, each ban with its reason.
@AnalyzeClasses(
    packages = "io.penstock",
    importOptions = {ImportOption.DoNotIncludeTests.class})
final class ImportTableTest {
  private static final String ROOT = "io.penstock.agent";

  @ArchTest
  static final ArchRule NOTHING_IMPORTS_THE_WIRING =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".*..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(ROOT)
          .because("only main sees all; a part that reaches for it cannot be tested alone");

  @ArchTest
  static final ArchRule NO_BROKER_AND_NO_HARNESS =
      noClasses()
          .that()
          .resideInAPackage(ROOT + "..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.penstock.broker..", "io.penstock.loadtest..")
          .because("broker and agent meet on the wire only");

  @ArchTest
  static final ArchRule CODEC_KNOWS_NO_AGENT =
      noClasses()
          .that()
          .resideInAPackage("io.penstock.codec..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(ROOT + "..")
          .because("the codec is functions; both ends and the harness stand on it");

  @ArchTest
  static final ArchRule IDENTITY_HAS_NO_SOCKETS =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".identity..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.netty.channel..",
              "java.net..",
              ROOT + ".link..",
              ROOT + ".plugin..",
              ROOT + ".config..")
          .because("keys and their file are tried without a network");

  @ArchTest
  static final ArchRule LINK_KNOWS_NO_PLUGIN =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".link..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(ROOT + ".plugin..", ROOT + ".config..", ROOT + ".health..")
          .because("a tunnel hands its streams to a StreamTarget and asks no further");

  @ArchTest
  static final ArchRule PLUGINS_KNOW_NO_IDENTITY =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".plugin..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(ROOT + ".identity..", ROOT + ".config..", ROOT + ".health..")
          .because("code that talks to on-premise systems has no business with keys");

  @ArchTest
  static final ArchRule PLUGINS_NEVER_IMPORT_ONE_ANOTHER =
      slices()
          .matching(ROOT + ".plugin.(*)..")
          .should()
          .notDependOnEachOther()
          .because("each connector comes and goes with its own library");

  @ArchTest
  static final ArchRule THE_INTERFACE_KNOWS_NO_PLUGIN =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".plugin")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(ROOT + ".plugin.*..")
          .because("main says which plugins a build has");

  @ArchTest
  static final ArchRule BOUNCY_CASTLE_IS_FOR_THE_CODEC_ONLY =
      noClasses()
          .that()
          .resideInAPackage(ROOT + "..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.bouncycastle..")
          .because("its symmetric ciphers are a hundred times too slow for the data path");

  @ArchTest
  static final ArchRule FAILPOINTS_ARE_PASSED_IN =
      classes()
          .that()
          .haveFullyQualifiedName(ROOT + ".identity.Failpoint")
          .should()
          .onlyHaveDependentClassesThat()
          .resideInAnyPackage(ROOT, ROOT + ".identity..", ROOT + ".link..", ROOT + ".config..")
          .because("a place to die belongs to enrollment, rotation and configuration only");
}
