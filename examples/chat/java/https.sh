# Compiles and runs the server over https. Java has trust stores of its own, so the authority of the local service
# (NODE_EXTRA_CA_CERTS, set by "tidewire run") goes into one.
set -e
cd "$(dirname "$0")"
store="$PWD/target/authorities.jks"
mkdir -p target
rm -f "$store"
# JKS: certificates in it can be read without its password.
keytool -importcert -noprompt -alias tidewire -file "$NODE_EXTRA_CA_CERTS" \
  -keystore "$store" -storetype JKS -storepass changeit 2> target/keytool.log || { cat target/keytool.log; exit 1; }
exec "${MAVEN:-mvn}" -q -B compile exec:java -DtrustStore="$store"
