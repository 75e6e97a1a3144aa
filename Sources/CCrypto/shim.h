// OpenSSL's digests, and no more of it.
#pragma once
#include <openssl/evp.h>
