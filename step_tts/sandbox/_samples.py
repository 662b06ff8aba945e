"""Two tenths of a second of silence in the formats the sandbox cannot encode itself.

Made with ffmpeg 5.1 from ``-f lavfi -i anullsrc=r=16000:cl=mono -t 0.2 -map_metadata -1 -fflags
+bitexact`` with the codecs flac (to a pipe, so its sizes are unknown), libopus at 16k in Ogg and
in WebM, aac at 16k as ADTS and in MP4.
"""

from __future__ import annotations

import base64
import zlib

__all__ = ["AAC", "FLAC", "M4A", "OGG_OPUS", "WEBM"]


def _unpack(text: bytes) -> bytes:
    return zlib.decompress(base64.b85decode(text))


FLAC = _unpack(
    b"c-rmAF%E)25QX6<J0aNE(HrkTX9uO1Fp)JeF`=<$_bgnF(vl8_-V2!gU-"
    b"SN%c)PcfE|x6$>R5+aU;SXxsq~HUJ@n80lXVsV0000000000008)Z>(W#T9<OfCgL#(Mb@^097$1I2c>~{?5r_"
)
OGG_OPUS = _unpack(
    b"c-r$%PY-5bVn73)THh8h3i}t77JH;7rZ6&EFgDnMCHz6kQ2--I`P6+OjCvsDA&Ke5Y(SB;wA_N!bda0~5U1uP=cl"
    b"9=+4>}wB`f4)CglTFf=y!Cp@uLC<cgZrf#0|}I5}XzgZs%rvo}W@JlIbbsXugi6#!&Zo;VqPfKnO&U5iXl"
)
AAC = _unpack(b"c-s5_F~Nbc{tu&s0{edwm;i)06@3")
M4A = _unpack(
    b"c-oawy-ve05I(0Vbm-8b2!t{Osoh{fg$-"
    b"1;E=&jpgpksn(}vnj6uXsR%8T$e41EIL0ExFK=QN>CK}ei(xxdeM{(J!7h59+U?p^r+4j3D$SdyLsKqE{!C+kTJG"
    b"&}Hjx0TMk%Q#*TM##kkp(3?U`YnNh`8L9;sO`89e~Lq2SEs?0{0BYFXV!k{wzPBX|8qMWwKCkfP}({{ecj?LdzBa"
    b"k<oFV|xnE`gt?c$K4^Ad1(z2rB`OHS%P>h3MhJqUm8^~xDlG9SM(zJu?yoV_dtqV2hsqoi6Ybrey<Uc8`(8Aoyq!"
    b";|4?Le!%D#<xlsPeUCS=J?(OLo7%_f5xntW&1mZrpvq4tdNm)RoSksaTD98@HTd`g(Meku}+9y|8Vny%aUK$Wv|<"
    b"TlizrLp4s&1ZgZpF^8>IdH3NsflbBkelbUFIG;(bOYTSZB4~MOkR-xhMkAtae*q|3V3_"
)
WEBM = _unpack(
    b"c-"
    b"oV4y}x+AQ(GgW({~{L)X3uWxsk)EsiizMDc7kT$Zc(8k_c`{XJh~YCNDwX*(JMtcXtP`ZV~ldnHIdJaUp~!7P2lI"
    b"$UEk{y9dY<3OSq}yrzlK0K%0C-VKy&VlsIHF^3_NfmQ(Iss&otH#YM-IruiT_#~F4g*$>Nm(C7{EQlhIW1p^rx+U"
    b"g%BV+N=4yb;{IgJcTTjw;F=B0ErGPJch#`_0^28XR`R^;yv+ug!)WD7%cBh$l)^BWnrb~v1O0BcH0X%t9aG}*tPw"
    b"AdpxF@=%Qg0aC4ECULNOU1?KlMi$!BkV{&G1GN%yQ`nGzl&>-"
    b"OM4H{dC3YnnMwIT1JX|{a$Vfv5*p+f;_2__(mut&zzU4?j0`Lcz<_~4-"
    b"g#T8!}8~i42ydj85kNoxSt#}dvmm5ac?7oXoCm)$s+ZKF0TSWlA0iH<%yHw2S7Yq6kZ?-"
    b"FBOGXiNfne;VnerZH4m|OkD`%pJagXOBb~;oc)&oiv5YZ`!_c-Z0`c5vX4!S?H?MM0cph6n*"
)
