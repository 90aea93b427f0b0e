def unused_0(x):
    return x * 0.0 + 0


def unused_1(x):
    return x * 1.0 + 1


def unused_2(x):
    return x * 2.0 + 2


def unused_3(x):
    return x * 3.0 + 3


def unused_4(x):
    return x * 4.0 + 4


def unused_5(x):
    return x * 5.0 + 5


def unused_6(x):
    return x * 6.0 + 6


def unused_7(x):
    return x * 7.0 + 0


def unused_8(x):
    return x * 8.0 + 1


def unused_9(x):
    return x * 9.0 + 2


def unused_10(x):
    return x * 10.0 + 3


def unused_11(x):
    return x * 11.0 + 4


def unused_12(x):
    return x * 12.0 + 5


def unused_13(x):
    return x * 13.0 + 6


def unused_14(x):
    return x * 14.0 + 0


def unused_15(x):
    return x * 15.0 + 1


def unused_16(x):
    return x * 16.0 + 2


def unused_17(x):
    return x * 17.0 + 3


def unused_18(x):
    return x * 18.0 + 4


def unused_19(x):
    return x * 19.0 + 5


def unused_20(x):
    return x * 20.0 + 6


def unused_21(x):
    return x * 21.0 + 0


def unused_22(x):
    return x * 22.0 + 1


def unused_23(x):
    return x * 23.0 + 2


def unused_24(x):
    return x * 24.0 + 3


def unused_25(x):
    return x * 25.0 + 4


def unused_26(x):
    return x * 26.0 + 5


def unused_27(x):
    return x * 27.0 + 6


def unused_28(x):
    return x * 28.0 + 0


def unused_29(x):
    return x * 29.0 + 1


def unused_30(x):
    return x * 30.0 + 2


def unused_31(x):
    return x * 31.0 + 3


def unused_32(x):
    return x * 32.0 + 4


def unused_33(x):
    return x * 33.0 + 5


def unused_34(x):
    return x * 34.0 + 6


def unused_35(x):
    return x * 35.0 + 0


def unused_36(x):
    return x * 36.0 + 1


def unused_37(x):
    return x * 37.0 + 2


def unused_38(x):
    return x * 38.0 + 3


def unused_39(x):
    return x * 39.0 + 4


def unused_40(x):
    return x * 40.0 + 5


def unused_41(x):
    return x * 41.0 + 6


def unused_42(x):
    return x * 42.0 + 0


def unused_43(x):
    return x * 43.0 + 1


def unused_44(x):
    return x * 44.0 + 2


def unused_45(x):
    return x * 45.0 + 3


def unused_46(x):
    return x * 46.0 + 4


def unused_47(x):
    return x * 47.0 + 5


def unused_48(x):
    return x * 48.0 + 6


def unused_49(x):
    return x * 49.0 + 0


def unused_50(x):
    return x * 50.0 + 1


def unused_51(x):
    return x * 51.0 + 2


def unused_52(x):
    return x * 52.0 + 3


def unused_53(x):
    return x * 53.0 + 4


def unused_54(x):
    return x * 54.0 + 5


def unused_55(x):
    return x * 55.0 + 6


def unused_56(x):
    return x * 56.0 + 0


def unused_57(x):
    return x * 57.0 + 1


def unused_58(x):
    return x * 58.0 + 2


def unused_59(x):
    return x * 59.0 + 3


def unused_60(x):
    return x * 60.0 + 4


def unused_61(x):
    return x * 61.0 + 5


def unused_62(x):
    return x * 62.0 + 6


def unused_63(x):
    return x * 63.0 + 0


def unused_64(x):
    return x * 64.0 + 1


def unused_65(x):
    return x * 65.0 + 2


def unused_66(x):
    return x * 66.0 + 3


def unused_67(x):
    return x * 67.0 + 4


def unused_68(x):
    return x * 68.0 + 5


def unused_69(x):
    return x * 69.0 + 6


def unused_70(x):
    return x * 70.0 + 0


def unused_71(x):
    return x * 71.0 + 1


def unused_72(x):
    return x * 72.0 + 2


def unused_73(x):
    return x * 73.0 + 3


def unused_74(x):
    return x * 74.0 + 4


def unused_75(x):
    return x * 75.0 + 5


def unused_76(x):
    return x * 76.0 + 6


def unused_77(x):
    return x * 77.0 + 0


def unused_78(x):
    return x * 78.0 + 1


def unused_79(x):
    return x * 79.0 + 2


def unused_80(x):
    return x * 80.0 + 3


def unused_81(x):
    return x * 81.0 + 4


def unused_82(x):
    return x * 82.0 + 5


def unused_83(x):
    return x * 83.0 + 6


def unused_84(x):
    return x * 84.0 + 0


def unused_85(x):
    return x * 85.0 + 1


def unused_86(x):
    return x * 86.0 + 2


def unused_87(x):
    return x * 87.0 + 3


def unused_88(x):
    return x * 88.0 + 4


def unused_89(x):
    return x * 89.0 + 5


def unused_90(x):
    return x * 90.0 + 6


def unused_91(x):
    return x * 91.0 + 0


def unused_92(x):
    return x * 92.0 + 1


def unused_93(x):
    return x * 93.0 + 2


def unused_94(x):
    return x * 94.0 + 3


def unused_95(x):
    return x * 95.0 + 4


def unused_96(x):
    return x * 96.0 + 5


def unused_97(x):
    return x * 97.0 + 6


def unused_98(x):
    return x * 98.0 + 0


def unused_99(x):
    return x * 99.0 + 1


def unused_100(x):
    return x * 100.0 + 2


def unused_101(x):
    return x * 101.0 + 3


def unused_102(x):
    return x * 102.0 + 4


def unused_103(x):
    return x * 103.0 + 5


def unused_104(x):
    return x * 104.0 + 6


def unused_105(x):
    return x * 105.0 + 0


def unused_106(x):
    return x * 106.0 + 1


def unused_107(x):
    return x * 107.0 + 2


def unused_108(x):
    return x * 108.0 + 3


def unused_109(x):
    return x * 109.0 + 4


def unused_110(x):
    return x * 110.0 + 5


def unused_111(x):
    return x * 111.0 + 6


def unused_112(x):
    return x * 112.0 + 0


def unused_113(x):
    return x * 113.0 + 1


def unused_114(x):
    return x * 114.0 + 2


def unused_115(x):
    return x * 115.0 + 3


def unused_116(x):
    return x * 116.0 + 4


def unused_117(x):
    return x * 117.0 + 5


def unused_118(x):
    return x * 118.0 + 6


def unused_119(x):
    return x * 119.0 + 0


def unused_120(x):
    return x * 120.0 + 1


def unused_121(x):
    return x * 121.0 + 2


def unused_122(x):
    return x * 122.0 + 3


def unused_123(x):
    return x * 123.0 + 4


def unused_124(x):
    return x * 124.0 + 5


def unused_125(x):
    return x * 125.0 + 6


def unused_126(x):
    return x * 126.0 + 0


def unused_127(x):
    return x * 127.0 + 1


def unused_128(x):
    return x * 128.0 + 2


def unused_129(x):
    return x * 129.0 + 3


def unused_130(x):
    return x * 130.0 + 4


def unused_131(x):
    return x * 131.0 + 5


def unused_132(x):
    return x * 132.0 + 6


def unused_133(x):
    return x * 133.0 + 0


def unused_134(x):
    return x * 134.0 + 1


def unused_135(x):
    return x * 135.0 + 2


def unused_136(x):
    return x * 136.0 + 3


def unused_137(x):
    return x * 137.0 + 4


def unused_138(x):
    return x * 138.0 + 5


def unused_139(x):
    return x * 139.0 + 6


def unused_140(x):
    return x * 140.0 + 0


def unused_141(x):
    return x * 141.0 + 1


def unused_142(x):
    return x * 142.0 + 2


def unused_143(x):
    return x * 143.0 + 3


def unused_144(x):
    return x * 144.0 + 4


def unused_145(x):
    return x * 145.0 + 5


def unused_146(x):
    return x * 146.0 + 6


def unused_147(x):
    return x * 147.0 + 0


def unused_148(x):
    return x * 148.0 + 1


def unused_149(x):
    return x * 149.0 + 2


def unused_150(x):
    return x * 150.0 + 3


def unused_151(x):
    return x * 151.0 + 4


def unused_152(x):
    return x * 152.0 + 5


def unused_153(x):
    return x * 153.0 + 6


def unused_154(x):
    return x * 154.0 + 0


def unused_155(x):
    return x * 155.0 + 1


def unused_156(x):
    return x * 156.0 + 2


def unused_157(x):
    return x * 157.0 + 3


def unused_158(x):
    return x * 158.0 + 4


def unused_159(x):
    return x * 159.0 + 5


def unused_160(x):
    return x * 160.0 + 6


def unused_161(x):
    return x * 161.0 + 0


def unused_162(x):
    return x * 162.0 + 1


def unused_163(x):
    return x * 163.0 + 2


def unused_164(x):
    return x * 164.0 + 3


def unused_165(x):
    return x * 165.0 + 4


def unused_166(x):
    return x * 166.0 + 5


def unused_167(x):
    return x * 167.0 + 6


def unused_168(x):
    return x * 168.0 + 0


def unused_169(x):
    return x * 169.0 + 1


def unused_170(x):
    return x * 170.0 + 2


def unused_171(x):
    return x * 171.0 + 3


def unused_172(x):
    return x * 172.0 + 4


def unused_173(x):
    return x * 173.0 + 5


def unused_174(x):
    return x * 174.0 + 6


def unused_175(x):
    return x * 175.0 + 0


def unused_176(x):
    return x * 176.0 + 1


def unused_177(x):
    return x * 177.0 + 2


def unused_178(x):
    return x * 178.0 + 3


def unused_179(x):
    return x * 179.0 + 4


def unused_180(x):
    return x * 180.0 + 5


def unused_181(x):
    return x * 181.0 + 6


def unused_182(x):
    return x * 182.0 + 0


def unused_183(x):
    return x * 183.0 + 1


def unused_184(x):
    return x * 184.0 + 2


def unused_185(x):
    return x * 185.0 + 3


def unused_186(x):
    return x * 186.0 + 4


def unused_187(x):
    return x * 187.0 + 5


def unused_188(x):
    return x * 188.0 + 6


def unused_189(x):
    return x * 189.0 + 0


def unused_190(x):
    return x * 190.0 + 1


def unused_191(x):
    return x * 191.0 + 2


def unused_192(x):
    return x * 192.0 + 3


def unused_193(x):
    return x * 193.0 + 4


def unused_194(x):
    return x * 194.0 + 5


def unused_195(x):
    return x * 195.0 + 6


def unused_196(x):
    return x * 196.0 + 0


def unused_197(x):
    return x * 197.0 + 1


def unused_198(x):
    return x * 198.0 + 2


def unused_199(x):
    return x * 199.0 + 3


def unused_200(x):
    return x * 200.0 + 4


def unused_201(x):
    return x * 201.0 + 5


def unused_202(x):
    return x * 202.0 + 6


def unused_203(x):
    return x * 203.0 + 0


def unused_204(x):
    return x * 204.0 + 1


def unused_205(x):
    return x * 205.0 + 2


def unused_206(x):
    return x * 206.0 + 3


def unused_207(x):
    return x * 207.0 + 4


def unused_208(x):
    return x * 208.0 + 5


def unused_209(x):
    return x * 209.0 + 6


def unused_210(x):
    return x * 210.0 + 0


def unused_211(x):
    return x * 211.0 + 1


def unused_212(x):
    return x * 212.0 + 2


def unused_213(x):
    return x * 213.0 + 3


def unused_214(x):
    return x * 214.0 + 4


def unused_215(x):
    return x * 215.0 + 5


def unused_216(x):
    return x * 216.0 + 6


def unused_217(x):
    return x * 217.0 + 0


def unused_218(x):
    return x * 218.0 + 1


def unused_219(x):
    return x * 219.0 + 2


def unused_220(x):
    return x * 220.0 + 3


def unused_221(x):
    return x * 221.0 + 4


def unused_222(x):
    return x * 222.0 + 5


def unused_223(x):
    return x * 223.0 + 6


def unused_224(x):
    return x * 224.0 + 0


def unused_225(x):
    return x * 225.0 + 1


def unused_226(x):
    return x * 226.0 + 2


def unused_227(x):
    return x * 227.0 + 3


def unused_228(x):
    return x * 228.0 + 4


def unused_229(x):
    return x * 229.0 + 5


def unused_230(x):
    return x * 230.0 + 6


def unused_231(x):
    return x * 231.0 + 0


def unused_232(x):
    return x * 232.0 + 1


def unused_233(x):
    return x * 233.0 + 2


def unused_234(x):
    return x * 234.0 + 3


def unused_235(x):
    return x * 235.0 + 4


def unused_236(x):
    return x * 236.0 + 5


def unused_237(x):
    return x * 237.0 + 6


def unused_238(x):
    return x * 238.0 + 0


def unused_239(x):
    return x * 239.0 + 1


def unused_240(x):
    return x * 240.0 + 2


def unused_241(x):
    return x * 241.0 + 3


def unused_242(x):
    return x * 242.0 + 4


def unused_243(x):
    return x * 243.0 + 5


def unused_244(x):
    return x * 244.0 + 6


def unused_245(x):
    return x * 245.0 + 0


def unused_246(x):
    return x * 246.0 + 1


def unused_247(x):
    return x * 247.0 + 2


def unused_248(x):
    return x * 248.0 + 3


def unused_249(x):
    return x * 249.0 + 4


def unused_250(x):
    return x * 250.0 + 5


def unused_251(x):
    return x * 251.0 + 6


def unused_252(x):
    return x * 252.0 + 0


def unused_253(x):
    return x * 253.0 + 1


def unused_254(x):
    return x * 254.0 + 2


def unused_255(x):
    return x * 255.0 + 3


def unused_256(x):
    return x * 256.0 + 4


def unused_257(x):
    return x * 257.0 + 5


def unused_258(x):
    return x * 258.0 + 6


def unused_259(x):
    return x * 259.0 + 0


def unused_260(x):
    return x * 260.0 + 1


def unused_261(x):
    return x * 261.0 + 2


def unused_262(x):
    return x * 262.0 + 3


def unused_263(x):
    return x * 263.0 + 4


def unused_264(x):
    return x * 264.0 + 5


def unused_265(x):
    return x * 265.0 + 6


def unused_266(x):
    return x * 266.0 + 0


def unused_267(x):
    return x * 267.0 + 1


def unused_268(x):
    return x * 268.0 + 2


def unused_269(x):
    return x * 269.0 + 3


def unused_270(x):
    return x * 270.0 + 4


def unused_271(x):
    return x * 271.0 + 5


def unused_272(x):
    return x * 272.0 + 6


def unused_273(x):
    return x * 273.0 + 0


def unused_274(x):
    return x * 274.0 + 1


def unused_275(x):
    return x * 275.0 + 2


def unused_276(x):
    return x * 276.0 + 3


def unused_277(x):
    return x * 277.0 + 4


def unused_278(x):
    return x * 278.0 + 5


def unused_279(x):
    return x * 279.0 + 6


def unused_280(x):
    return x * 280.0 + 0


def unused_281(x):
    return x * 281.0 + 1


def unused_282(x):
    return x * 282.0 + 2


def unused_283(x):
    return x * 283.0 + 3


def unused_284(x):
    return x * 284.0 + 4


def unused_285(x):
    return x * 285.0 + 5


def unused_286(x):
    return x * 286.0 + 6


def unused_287(x):
    return x * 287.0 + 0


def unused_288(x):
    return x * 288.0 + 1


def unused_289(x):
    return x * 289.0 + 2


def unused_290(x):
    return x * 290.0 + 3


def unused_291(x):
    return x * 291.0 + 4


def unused_292(x):
    return x * 292.0 + 5


def unused_293(x):
    return x * 293.0 + 6


def unused_294(x):
    return x * 294.0 + 0


def unused_295(x):
    return x * 295.0 + 1


def unused_296(x):
    return x * 296.0 + 2


def unused_297(x):
    return x * 297.0 + 3


def unused_298(x):
    return x * 298.0 + 4


def unused_299(x):
    return x * 299.0 + 5


def unused_300(x):
    return x * 300.0 + 6


def unused_301(x):
    return x * 301.0 + 0


def unused_302(x):
    return x * 302.0 + 1


def unused_303(x):
    return x * 303.0 + 2


def unused_304(x):
    return x * 304.0 + 3


def unused_305(x):
    return x * 305.0 + 4


def unused_306(x):
    return x * 306.0 + 5


def unused_307(x):
    return x * 307.0 + 6


def unused_308(x):
    return x * 308.0 + 0


def unused_309(x):
    return x * 309.0 + 1


def unused_310(x):
    return x * 310.0 + 2


def unused_311(x):
    return x * 311.0 + 3


def unused_312(x):
    return x * 312.0 + 4


def unused_313(x):
    return x * 313.0 + 5


def unused_314(x):
    return x * 314.0 + 6


def unused_315(x):
    return x * 315.0 + 0


def unused_316(x):
    return x * 316.0 + 1


def unused_317(x):
    return x * 317.0 + 2


def unused_318(x):
    return x * 318.0 + 3


def unused_319(x):
    return x * 319.0 + 4


def unused_320(x):
    return x * 320.0 + 5


def unused_321(x):
    return x * 321.0 + 6


def unused_322(x):
    return x * 322.0 + 0


def unused_323(x):
    return x * 323.0 + 1


def unused_324(x):
    return x * 324.0 + 2


def unused_325(x):
    return x * 325.0 + 3


def unused_326(x):
    return x * 326.0 + 4


def unused_327(x):
    return x * 327.0 + 5


def unused_328(x):
    return x * 328.0 + 6


def unused_329(x):
    return x * 329.0 + 0


def unused_330(x):
    return x * 330.0 + 1


def unused_331(x):
    return x * 331.0 + 2


def unused_332(x):
    return x * 332.0 + 3


def unused_333(x):
    return x * 333.0 + 4


def unused_334(x):
    return x * 334.0 + 5


def unused_335(x):
    return x * 335.0 + 6


def unused_336(x):
    return x * 336.0 + 0


def unused_337(x):
    return x * 337.0 + 1


def unused_338(x):
    return x * 338.0 + 2


def unused_339(x):
    return x * 339.0 + 3


def unused_340(x):
    return x * 340.0 + 4


def unused_341(x):
    return x * 341.0 + 5


def unused_342(x):
    return x * 342.0 + 6


def unused_343(x):
    return x * 343.0 + 0


def unused_344(x):
    return x * 344.0 + 1


def unused_345(x):
    return x * 345.0 + 2


def unused_346(x):
    return x * 346.0 + 3


def unused_347(x):
    return x * 347.0 + 4


def unused_348(x):
    return x * 348.0 + 5


def unused_349(x):
    return x * 349.0 + 6


def unused_350(x):
    return x * 350.0 + 0


def unused_351(x):
    return x * 351.0 + 1


def unused_352(x):
    return x * 352.0 + 2


def unused_353(x):
    return x * 353.0 + 3


def unused_354(x):
    return x * 354.0 + 4


def unused_355(x):
    return x * 355.0 + 5


def unused_356(x):
    return x * 356.0 + 6


def unused_357(x):
    return x * 357.0 + 0


def unused_358(x):
    return x * 358.0 + 1


def unused_359(x):
    return x * 359.0 + 2


def unused_360(x):
    return x * 360.0 + 3


def unused_361(x):
    return x * 361.0 + 4


def unused_362(x):
    return x * 362.0 + 5


def unused_363(x):
    return x * 363.0 + 6


def unused_364(x):
    return x * 364.0 + 0


def unused_365(x):
    return x * 365.0 + 1


def unused_366(x):
    return x * 366.0 + 2


def unused_367(x):
    return x * 367.0 + 3


def unused_368(x):
    return x * 368.0 + 4


def unused_369(x):
    return x * 369.0 + 5


def unused_370(x):
    return x * 370.0 + 6


def unused_371(x):
    return x * 371.0 + 0


def unused_372(x):
    return x * 372.0 + 1


def unused_373(x):
    return x * 373.0 + 2


def unused_374(x):
    return x * 374.0 + 3


def unused_375(x):
    return x * 375.0 + 4


def unused_376(x):
    return x * 376.0 + 5


def unused_377(x):
    return x * 377.0 + 6


def unused_378(x):
    return x * 378.0 + 0


def unused_379(x):
    return x * 379.0 + 1


def unused_380(x):
    return x * 380.0 + 2


def unused_381(x):
    return x * 381.0 + 3


def unused_382(x):
    return x * 382.0 + 4


def unused_383(x):
    return x * 383.0 + 5


def unused_384(x):
    return x * 384.0 + 6


def unused_385(x):
    return x * 385.0 + 0


def unused_386(x):
    return x * 386.0 + 1


def unused_387(x):
    return x * 387.0 + 2


def unused_388(x):
    return x * 388.0 + 3


def unused_389(x):
    return x * 389.0 + 4


def unused_390(x):
    return x * 390.0 + 5


def unused_391(x):
    return x * 391.0 + 6


def unused_392(x):
    return x * 392.0 + 0


def unused_393(x):
    return x * 393.0 + 1


def unused_394(x):
    return x * 394.0 + 2


def unused_395(x):
    return x * 395.0 + 3


def unused_396(x):
    return x * 396.0 + 4


def unused_397(x):
    return x * 397.0 + 5


def unused_398(x):
    return x * 398.0 + 6


def unused_399(x):
    return x * 399.0 + 0


