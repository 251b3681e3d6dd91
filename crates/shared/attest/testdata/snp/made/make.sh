#!/bin/sh
# Makes the imaginary product "Genoa" that the tests of refusals use: a root (ARK), a product key (ASK), a chip (VCEK) with
# its secret key, and revocation lists. The names and layouts are AMD's, the keys are not. Run again, it makes other keys.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/ca.cnf" <<CNF
[ca]
default_ca = any
[any]
database = $work/index
serial = $work/serial
crlnumber = $work/crlnumber
new_certs_dir = $work
default_md = sha384
policy = anything
unique_subject = no
[anything]
commonName = supplied
organizationName = optional
[crl]
authorityKeyIdentifier = keyid
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[product]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
[chip]
1.3.6.1.4.1.3704.1.1 = DER:020101
1.3.6.1.4.1.3704.1.2 = DER:160847656e6f612d4230
1.3.6.1.4.1.3704.1.3.1 = DER:020109
1.3.6.1.4.1.3704.1.3.2 = DER:020100
1.3.6.1.4.1.3704.1.3.3 = DER:020117
1.3.6.1.4.1.3704.1.3.8 = DER:020148
1.3.6.1.4.1.3704.1.4 = DER:$(printf 'c5%.0s' $(seq 64))
CNF
PSS="-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48"
from=20260101000000Z
to=20330101000000Z

for key in ark ask; do openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/$key.pem"; done
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$work/vcek.pem"
openssl pkcs8 -topk8 -nocrypt -in "$work/vcek.pem" -outform DER -out vcek.key.der

: > "$work/index"
printf '010000\n' > "$work/serial"
printf '01\n' > "$work/crlnumber"
sign() { # key, issuer, extensions, name
    openssl req -new -config /dev/null -subj "/O=Made for tests/CN=$4" -key "$work/$1.pem" -out "$work/$1.csr"
    issuer="-cert $work/$2.crt"
    [ "$1" != "$2" ] || issuer=-selfsign
    openssl ca -batch -config "$work/ca.cnf" -extensions "$3" -startdate $from -enddate $to $PSS -notext \
        -keyfile "$work/$2.pem" $issuer -in "$work/$1.csr" -out "$work/$1.crt" 2> "$work/log" || { cat "$work/log"; exit 1; }
    openssl x509 -in "$work/$1.crt" -outform DER -out "$1.der"
}
sign ark ark root "ARK-Made"
sign ask ark product "SEV-Made"
sign vcek ask chip "SEV-VCEK"

list() { # file, last update, next update, signer
    openssl ca -gencrl -config "$work/ca.cnf" -crlexts crl -crl_lastupdate "$2" -crl_nextupdate "$3" $PSS \
        -keyfile "$work/$4.pem" -cert "$work/$4.crt" -out "$work/crl.pem" 2> "$work/log" || { cat "$work/log"; exit 1; }
    openssl crl -in "$work/crl.pem" -outform DER -out "$1"
}
: > "$work/index"
list crl.der 20260601000000Z 20260901000000Z ark
list crl_of_another.der 20260601000000Z 20260901000000Z ask
openssl ca -config "$work/ca.cnf" -keyfile "$work/ark.pem" -cert "$work/ark.crt" -revoke "$work/ask.crt" 2> "$work/log"
list crl_revoked.der 20260601000000Z 20260901000000Z ark
