from relight_assets.stages.masks.matting.sizes import FIRST_SIDE, disc, fitted, scaled


def test_pictures_are_shrunk_to_a_side_and_never_enlarged():
    assert fitted((4000, 1000, 3), 400) == (100, 400)
    assert fitted((30, 20), 400) == (20, 30)
    assert fitted((4000, 1), 400) == (1, 400)


def test_lengths_follow_the_guide():
    assert scaled(20, (FIRST_SIDE, 100)) == 20
    assert scaled(20, (FIRST_SIDE // 2, 10)) == 10
    assert scaled(1, (8, 8)) == 1


def test_a_disc_is_round():
    assert disc(3).shape == (7, 7)
    assert disc(3)[3].all()
    assert not disc(3)[0, 0]
